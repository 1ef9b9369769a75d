//! axum in a subsystem of tokio-graceful-shutdown, as its documentation says.

mod router;

use std::time::Duration;
use tokio::net::TcpListener;
use tokio_graceful_shutdown::{SubsystemBuilder, SubsystemHandle, Toplevel};

async fn serve(subsystem: SubsystemHandle) -> std::io::Result<()> {
    let app = router::router();
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    let shutdown = async move { subsystem.on_shutdown_requested().await };
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let toplevel = Toplevel::new(async |toplevel: SubsystemHandle| {
        toplevel.start(SubsystemBuilder::new("server", serve));
    });
    Ok(toplevel.catch_signals().handle_shutdown_requests(Duration::from_secs(10)).await?)
}
