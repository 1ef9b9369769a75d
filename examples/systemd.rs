//! A systemd service: the feature `systemd` and `Type=notify` in the unit, without further code.
//!
//! The process sends READY when it serves, STOPPING with a status text, extensions of the timeout during the shutdown,
//! and watchdog keep-alives unless the runtime of `main` hangs. The unit is `systemd/graceful-example.service`.

use axum::{Router, routing::get};
use std::time::Duration;
use tokio::net::TcpListener;

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(2)).await;
    "slow\n"
}

// No grace: there is no load balancer that must stop routing to the process.
#[graceful::main(grace = "0s", health = "off")]
async fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);
    let app = Router::new().route("/", get(|| async { "hello\n" })).route("/slow", get(slow));
    graceful::axum::serve(listener, app).await
}
