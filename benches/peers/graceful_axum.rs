//! The router of `axum.rs`, served by `graceful::axum`.

mod router;

use tokio::net::TcpListener;

#[graceful::main(grace = "3s", drain = "5s")]
async fn main() -> std::io::Result<()> {
    let app = router::router();
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    graceful::axum::serve(TcpListener::bind(address).await?, app).await
}
