//! `axum::serve` with the tower layer, which counts requests in flight and asks clients to reconnect.
//! `graceful::axum::serve` does more: it also empties the accept queue and waits for partially received requests.

use axum::{Router, routing::get};
use graceful::tower::GracefulLayer;
use std::time::Duration;
use tokio::net::TcpListener;

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(2)).await;
    "slow\n"
}

#[graceful::main(grace = "5s")]
async fn main(ctx: graceful::Context) -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);

    let app = Router::new().route("/", get(|| async { "hello\n" })).route("/slow", get(slow));
    let app = app.layer(GracefulLayer::new(ctx.clone()));
    ctx.ready(); // the process doesn't serve through graceful, so `main` reports readiness
    axum::serve(listener, app).with_graceful_shutdown(ctx.draining()).await
}
