use axum::{Router, routing::get};

pub fn all() -> Router {
    Router::new().route("/", get(|| async { "hello" })).route("/readyz", get(|| async {}))
}

pub async fn flush() -> anyhow::Result<()> {
    tokio::time::sleep(crate::shutdown::PATIENCE).await;
    Ok(())
}
