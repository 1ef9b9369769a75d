//! The server of poem. It keeps serving during grace and stops at the drain, which waits for its requests.

use poem::{
    Endpoint, EndpointExt, IntoResponse, Route, Server, get, handler,
    http::{HeaderValue, header::CONNECTION},
    listener::TcpAcceptor,
};
use std::time::Duration;
use tokio::net::TcpListener;

#[handler]
fn hello() -> &'static str {
    "hello\n"
}

#[handler]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(2)).await;
    "slow\n"
}

#[graceful::main(grace = "5s", drain = "10s")]
async fn main(ctx: graceful::Context) -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);

    let app = Route::new().at("/", get(hello)).at("/slow", get(slow));
    let context = ctx.clone();
    // From grace on, `Connection: close` asks clients to reconnect.
    let app = app.around(move |app, request| {
        let context = context.clone();
        async move {
            let mut response = app.call(request).await?.into_response();
            if context.phase().is_terminating() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    });
    let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?);
    ctx.ready();
    server.run_with_graceful_shutdown(app, ctx.draining(), Some(Duration::from_secs(10))).await // = drain
}
