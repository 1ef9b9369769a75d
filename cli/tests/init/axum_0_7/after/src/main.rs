use axum::Router;

#[graceful::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await.unwrap();
    axum::serve(listener, Router::new()).await.unwrap();
}
