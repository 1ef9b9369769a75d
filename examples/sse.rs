//! Server-sent events. An endless stream delays the drain up to its deadline, so the stream ends when the drain begins.
//! The client's `EventSource` reconnects automatically, to another replica.

use axum::{
    Router,
    response::sse::{Event, Sse},
    routing::get,
};
use futures_util::stream::{self, Stream, StreamExt};
use graceful::Context;
use std::{convert::Infallible, time::Duration};
use tokio::net::TcpListener;

async fn clock(ctx: Context) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks =
        stream::unfold((0_u64, tokio::time::interval(Duration::from_millis(200))), |(n, mut clock)| async move {
            clock.tick().await;
            Some((Event::default().event("tick").data(n.to_string()), (n + 1, clock)))
        });
    let last = stream::once(async { Event::default().event("moved").data("draining") });
    Sse::new(ticks.take_until(ctx.draining()).chain(last).map(Ok))
}

#[graceful::main(grace = "5s")]
async fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);
    graceful::axum::serve(listener, Router::new().route("/clock", get(clock))).await
}
