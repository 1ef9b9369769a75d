//! The routes of the servers with axum.

use axum::{Router, routing::get};
use std::time::Duration;
use tokio::time::sleep;

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

pub(crate) fn router() -> Router {
    Router::new().route("/", get(hello)).route("/slow", get(slow)).route("/now", get(now)).route("/block", get(block))
}
