//! WebSockets. An upgraded connection counts as in flight until it ends, so its task waits for the drain and sends
//! Close 1001 ("going away"). The client reconnects to another replica.

use axum::{
    Router,
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    response::Response,
    routing::get,
};
use graceful::Context;
use std::pin::pin;
use tokio::net::TcpListener;

async fn echo(upgrade: WebSocketUpgrade, ctx: Context) -> Response {
    upgrade.on_upgrade(|socket| talk(socket, ctx))
}

async fn talk(mut socket: WebSocket, ctx: Context) {
    let mut draining = pin!(ctx.draining());
    loop {
        tokio::select! {
            () = &mut draining => break,
            message = socket.recv() => match message {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                    if socket.send(message).await.is_err() {
                        return;
                    }
                }
                Some(Ok(_)) => {} // axum responds to pings and closes
                Some(Err(_)) | None => return,
            },
        }
    }
    let going_away = CloseFrame { code: close_code::AWAY, reason: "draining".into() };
    if socket.send(Message::Close(Some(going_away))).await.is_ok() {
        // Reads up to the client's Close. A client that never sends Close is cut at the drain deadline.
        while let Some(Ok(_)) = socket.recv().await {}
    }
}

#[graceful::main(grace = "5s")]
async fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);
    graceful::axum::serve(listener, Router::new().route("/ws", get(echo))).await
}
