//! The app served by `graceful`. `LISTEN` and `TLS` configure it, see the library.

use graceful_tests_peers::{app, listen, tls, with_tls};
use std::{error::Error, time::Duration};

#[graceful::main(grace = "2s", drain = "5s", margin = "500ms")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = listen()?;
    if !with_tls() {
        return Ok(graceful::axum::serve(listener, app()).await?);
    }
    let acceptor = tls::acceptor()?;
    let listener = graceful::with_handshake(listener, Duration::from_secs(3), move |stream| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await }
    });
    Ok(graceful::axum::serve(listener, app()).await?)
}
