//! TLS: which certificates are trusted, and the handshake.

use super::fault::Fault;
use crate::report::Outcome;
use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        AlertDescription, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    },
};

/// Which certificates are trusted. The default is what this machine trusts, so that a local or a company's own CA that
/// is installed for browsers and curl is enough.
#[derive(Debug, Default, Clone, clap::Args)]
pub(crate) struct Trust {
    /// Accept any certificate of https:// and wss:// URLs
    #[arg(long, conflicts_with = "cacert")]
    pub(crate) insecure: bool,
    /// A PEM file with the certificates to trust, instead of those that this machine trusts
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    #[arg(skip)]
    loaded: OnceLock<Tls>,
}

/// The configurations of TLS clients, which differ in the protocol that they offer.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

impl Trust {
    /// Any certificate is trusted.
    pub(super) fn any() -> Self {
        Self { insecure: true, ..Self::default() }
    }

    /// The configurations, loaded once.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub(super) fn tls(&self) -> Result<Tls, String> {
        if let Some(tls) = self.loaded.get() {
            return Ok(tls.clone());
        }
        let tls = Tls::new(self)?;
        Ok(self.loaded.get_or_init(|| tls).clone())
    }
}

impl Tls {
    fn new(trust: &Trust) -> Result<Self, String> {
        let provider = Arc::new(ring::default_provider());
        let any = AnyCertificate(provider.clone());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let config = if trust.insecure {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(any)).with_no_client_auth()
        } else {
            builder.with_root_certificates(roots(trust.cacert.as_deref())?).with_no_client_auth()
        };
        let offering = |protocol: &str| {
            let mut config = config.clone();
            config.alpn_protocols = vec![protocol.into()];
            Arc::new(config)
        };
        Ok(Self { http1: offering("http/1.1"), http2: offering("h2") })
    }

    /// The handshake of a client.
    ///
    /// # Errors
    /// The certificate is not accepted, or the handshake fails.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        name: ServerName<'static>,
        is_http2: bool,
    ) -> Result<TlsStream<TcpStream>, Fault> {
        let config = if is_http2 { &self.http2 } else { &self.http1 };
        let connector = TlsConnector::from(config.clone());
        let stream = connector.connect(name, stream).await.map_err(|error| failed(&error, is_http2))?;
        if is_http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(Fault::new(Outcome::Protocol, NO_HTTP2));
        }
        Ok(stream)
    }
}

fn roots(file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    match file {
        Some(file) => {
            let failed = |error: &dyn std::fmt::Display| format!("no certificates from {}: {error}", file.display());
            for certificate in CertificateDer::pem_file_iter(file).map_err(|error| failed(&error))? {
                let certificate = certificate.map_err(|error| failed(&error))?;
                store.add(certificate).map_err(|error| failed(&error))?;
            }
            if store.is_empty() {
                return Err(failed(&"no `BEGIN CERTIFICATE` in it"));
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                return Err("this machine trusts no certificate; name one with --cacert, or use --insecure".to_owned());
            }
        }
    }
    Ok(store)
}

/// A server without ALPN, or with another protocol alone.
const NO_HTTP2: &str =
    "the server did not choose HTTP/2 (ALPN h2); leave --http2 and --grpc out, or offer h2 by ALPN in the server";
const NO_HTTP1: &str =
    "the server did not choose HTTP/1.1 (ALPN http/1.1); use --http2 or --grpc, and no other kind of client";

fn failed(error: &io::Error, is_http2: bool) -> Fault {
    let cause = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidCertificate(_)) => Fault::new(
            Outcome::Certificate,
            format!("{error}; name the CA with --cacert, or accept any certificate with --insecure"),
        ),
        Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
            Fault::new(Outcome::Protocol, if is_http2 { NO_HTTP2 } else { NO_HTTP1 })
        }
        Some(Error::InvalidMessage(_)) => Fault::new(
            Outcome::Protocol,
            format!("the server does not speak TLS at this port ({error}); write http:// or ws:// in the URL"),
        ),
        None if error.kind() == ErrorKind::UnexpectedEof => {
            Fault::new(Outcome::TlsHandshake, "the server closed the connection during the TLS handshake")
        }
        _ => Fault::new(Outcome::TlsHandshake, format!("the TLS handshake failed: {error}")),
    }
}

/// Accepts every certificate.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
