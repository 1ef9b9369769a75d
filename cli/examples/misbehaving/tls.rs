//! TLS with the certificate and the key in the files of the variables `CERTIFICATE` and `KEY`.

use std::{env::var_os, io, sync::Arc};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

pub(crate) fn acceptor(protocol: &str) -> io::Result<TlsAcceptor> {
    let file = |name| var_os(name).ok_or_else(|| io::Error::other(format!("{name} is not set")));
    let certificate = CertificateDer::from_pem_file(file("CERTIFICATE")?).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_file(file("KEY")?).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key));
    let mut config = config.map_err(io::Error::other)?;
    config.alpn_protocols = vec![protocol.into()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
