#[shutdown::main(ready = "on-serve", crate = ::shutdown)]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
    shutdown::axum::serve(listener, axum::Router::new()).await
}
