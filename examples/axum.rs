//! An axum router with the client's address, the context in a handler, and probe routes on the traffic port.
//!
//! ```console
//! $ cargo run -p graceful-examples --bin axum &
//! $ curl localhost:3000 localhost:3000/readyz localhost:8081/readyz
//! $ curl localhost:3000/slow & sleep 1; kill %1
//! ```

use axum::{Router, extract::ConnectInfo, routing::get};
use graceful::Context;
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;

async fn hello(ConnectInfo(client): ConnectInfo<SocketAddr>, ctx: Context) -> String {
    format!("hello {client}, I am {}\n", ctx.phase())
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(2)).await;
    "slow\n"
}

#[graceful::main(grace = "5s")]
async fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);

    let app = Router::new().route("/", get(hello)).route("/slow", get(slow)).merge(graceful::axum::health_router());
    graceful::axum::serve(listener, app).with_connect_info().await
}
