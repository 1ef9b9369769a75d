//! axum in a subsystem of tokio-graceful-shutdown, as its documentation says.

use axum::{Router, routing::get};
use std::time::Duration;
use tokio::{net::TcpListener, time::sleep};
use tokio_graceful_shutdown::{SubsystemBuilder, SubsystemHandle, Toplevel};

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

async fn serve(subsystem: SubsystemHandle) -> std::io::Result<()> {
    let app = Router::new()
        .route("/", get(hello))
        .route("/slow", get(slow))
        .route("/now", get(now))
        .route("/block", get(block));
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    let shutdown = async move { subsystem.on_shutdown_requested().await };
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let toplevel = Toplevel::new(async |toplevel: SubsystemHandle| {
        toplevel.start(SubsystemBuilder::new("server", serve));
    });
    Ok(toplevel.catch_signals().handle_shutdown_requests(Duration::from_secs(10)).await?)
}
