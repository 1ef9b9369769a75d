use axum::{Router, routing::get};

fn routes() -> Router {
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/healthz", get(|| async { "ok" })) // for the pod
}

#[graceful::main(ready = "on-serve")]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
    graceful::axum::serve(listener, routes()).await
}
