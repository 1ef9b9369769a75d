//! A service of systemd: nothing in the code, only the feature `systemd`, and `Type=notify` in the unit.
//!
//! READY when it serves, STOPPING with a status text, more time for as long as the shutdown needs it, and the watchdog,
//! which stops being fed when the runtime of `main` hangs. The unit: `systemd/graceful-example.service`.

use axum::{Router, routing::get};
use std::time::Duration;
use tokio::net::TcpListener;

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(2)).await;
    "slow\n"
}

// No load balancer stands before it: nobody has to forget it.
#[graceful::main(grace = "0s", health = "off")]
async fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);
    let app = Router::new().route("/", get(|| async { "hello\n" })).route("/slow", get(slow));
    graceful::axum::serve(listener, app).await
}
