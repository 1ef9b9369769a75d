//! The same app served by axum with `with_graceful_shutdown`, as axum's documentation says.

use graceful_tests_peers::{app, listen, tls, with_tls};
use std::error::Error;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = listen()?;
    let shutdown = async move {
        terminate.recv().await;
    };
    if !with_tls() {
        return Ok(axum::serve(listener, app()).with_graceful_shutdown(shutdown).await?);
    }
    let listener = tls::TlsListener::new(listener, tls::acceptor()?)?;
    Ok(axum::serve(listener, app()).with_graceful_shutdown(shutdown).await?)
}
