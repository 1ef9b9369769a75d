//! HTTPS with tokio-rustls. The handshake runs in the connection's task, counts as in flight, and has a timeout.
//!
//! The certificate is self-signed and generated at start: `curl -k https://localhost:3000`

use axum::{Router, routing::get};
use std::{error::Error, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

fn acceptor() -> Result<TlsAcceptor, Box<dyn Error>> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(2)).await;
    "slow\n"
}

#[graceful::main(grace = "5s")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on https://{}", listener.local_addr()?);

    let acceptor = acceptor()?;
    let listener = graceful::with_handshake(listener, Duration::from_secs(3), move |stream| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await }
    });
    let app = Router::new().route("/", get(|| async { "hello\n" })).route("/slow", get(slow));
    Ok(graceful::axum::serve(listener, app).await?)
}
