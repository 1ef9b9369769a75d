//! A hyper service, served by `graceful`.

mod service;

use hyper::service::service_fn;
use tokio::net::TcpListener;

#[graceful::main(grace = "3s", drain = "5s")]
async fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    graceful::serve(TcpListener::bind(address).await?, service_fn(service::respond)).await
}
