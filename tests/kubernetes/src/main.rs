//! Every kind of request on one port: fast and slow ones, uploads, server-sent events, WebSockets, and gRPC.

use axum::{
    Router,
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    response::{
        Response,
        sse::{Event, Sse},
    },
    routing::{get, post},
};
use futures_util::stream::{self, Stream, StreamExt};
use graceful::Context;
use graceful_tests::grpc::{Order, Reply, orders_server};
use std::{convert::Infallible, future::ready, pin::pin, time::Duration};
use tokio::{
    net::TcpListener,
    sync::mpsc,
    time::{interval, sleep},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, service::Routes};

async fn after(millis: u64) -> &'static str {
    sleep(Duration::from_millis(millis)).await;
    "done\n"
}

/// Events until the drain begins.
async fn events(ctx: Context) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = stream::unfold(interval(Duration::from_millis(200)), |mut clock| async move {
        clock.tick().await;
        Some((Event::default().data("tick"), clock))
    });
    let last = stream::once(ready(Event::default().event("moved").data("draining")));
    Sse::new(ticks.take_until(ctx.draining()).chain(last).map(Ok))
}

async fn socket(upgrade: WebSocketUpgrade, ctx: Context) -> Response {
    upgrade.on_upgrade(|socket| echo(socket, ctx))
}

/// Echoes until the drain begins, and then closes with 1001 ("going away").
async fn echo(mut socket: WebSocket, ctx: Context) {
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
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
    let going_away = CloseFrame { code: close_code::AWAY, reason: "draining".into() };
    if socket.send(Message::Close(Some(going_away))).await.is_ok() {
        while let Some(Ok(_)) = socket.recv().await {}
    }
}

struct Orders(Context);

#[tonic::async_trait]
impl orders_server::Orders for Orders {
    async fn place(&self, _: Request<Order>) -> Result<tonic::Response<Reply>, Status> {
        Ok(tonic::Response::new(Reply { text: "placed".to_owned() }))
    }

    type FollowStream = ReceiverStream<Result<Reply, Status>>;

    /// A reply each 100 ms for two seconds, or until the drain begins.
    async fn follow(&self, _: Request<Order>) -> Result<tonic::Response<Self::FollowStream>, Status> {
        let ctx = self.0.clone();
        let (replies, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut draining = pin!(ctx.draining());
            for number in 0..20 {
                if replies.send(Ok(Reply { text: number.to_string() })).await.is_err() {
                    return;
                }
                tokio::select! {
                    () = sleep(Duration::from_millis(100)) => {}
                    () = &mut draining => return,
                }
            }
        });
        Ok(tonic::Response::new(ReceiverStream::new(stream)))
    }
}

#[graceful::main(grace = "3s", drain = "15s")]
async fn main(ctx: Context) -> std::io::Result<()> {
    let http = Router::new()
        .route("/", get(|| after(1)))
        .route("/200ms", get(|| after(200)))
        .route("/10s", get(|| after(10_000)))
        .route("/upload", post(|body: String| ready(body.len().to_string())))
        .route("/events", get(events))
        .route("/socket", get(socket));
    let grpc = Routes::new(orders_server::OrdersServer::new(Orders(ctx))).into_axum_router();
    graceful::axum::serve(TcpListener::bind("0.0.0.0:3000").await?, http.merge(grpc)).await
}
