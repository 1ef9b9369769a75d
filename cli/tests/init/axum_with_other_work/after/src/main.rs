use axum::{Router, routing::get};
use std::time::Duration;
use tokio::net::TcpListener;

#[graceful::main]
async fn main() -> std::io::Result<()> {
    let metrics = TcpListener::bind("0.0.0.0:9090").await?;
    tokio::spawn(async move { axum::serve(metrics, Router::new()).await });
    let listener = TcpListener::bind("0.0.0.0:3000").await?;
    let app = Router::new().route("/", get(|| async { "hello" }));
    axum::serve(listener, app).with_graceful_shutdown(stop()).await
}

async fn stop() {
    tokio::signal::ctrl_c().await.unwrap();
    // Load balancers take a while.
    tokio::time::sleep(Duration::from_secs(10)).await;
}
