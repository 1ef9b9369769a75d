mod config;
mod shutdown;
mod web {
    pub mod routes;
}

use crate::shutdown::wait_for_signal;
use std::net::SocketAddr;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind(config::address()).await?;
    let app = web::routes::all().layer(axum::Extension(7));
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(wait_for_signal())
        .await?;
    web::routes::flush().await?;
    Ok(())
}
