mod config;
mod shutdown;
mod web {
    pub mod routes;
}

use tokio::net::TcpListener;

#[graceful::main(flavor = "current_thread", ready = "on-serve", signals = ["SIGHUP", "SIGINT", "SIGTERM"])]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind(config::address()).await?;
    let app = web::routes::all().layer(axum::Extension(7));
    graceful::axum::serve(listener, app).with_connect_info().await?;
    web::routes::flush().await?;
    Ok(())
}
