use axum::Router;
use graceful::tower::GracefulLayer;

#[graceful::main(grace = "5s")]
async fn main(ctx: graceful::Context) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
    let app = Router::new().layer(GracefulLayer::new(ctx.clone()));
    ctx.ready();
    axum::serve(listener, app).with_graceful_shutdown(ctx.draining()).await
}
