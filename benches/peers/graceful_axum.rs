//! The router of `axum.rs`, served by `graceful::axum`.

use axum::{Router, routing::get};
use std::time::Duration;
use tokio::{net::TcpListener, time::sleep};

async fn now() -> &'static str {
    "hello\n"
}

async fn hello() -> &'static str {
    sleep(Duration::from_millis(5)).await;
    "hello\n"
}

async fn slow() -> &'static str {
    sleep(Duration::from_secs(1)).await;
    "slow\n"
}

async fn block() -> &'static str {
    std::thread::sleep(Duration::from_secs(2));
    "blocked\n"
}

#[graceful::main(grace = "3s", drain = "5s")]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/", get(hello))
        .route("/slow", get(slow))
        .route("/now", get(now))
        .route("/block", get(block));
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    graceful::axum::serve(TcpListener::bind(address).await?, app).await
}
