//! axum with `with_graceful_shutdown`, as its example `graceful-shutdown` does.

use axum::{Router, routing::get};
use std::time::Duration;
use tokio::{
    net::TcpListener,
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    time::sleep,
};

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

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/", get(hello))
        .route("/slow", get(slow))
        .route("/now", get(now))
        .route("/block", get(block));
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = async move {
        tokio::select! {
            _ = ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}
