//! The byte stream of a connection: TCP, or TLS over TCP.

use super::{endpoint::Endpoint, fault::Fault};
use crate::report::Outcome;
use std::net::SocketAddr;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

pub(super) type Stream = Either<TcpStream, TlsStream<TcpStream>>;

/// Connects to a copy of the program.
///
/// The caller has the same deadline for the whole request. A timer is polled after the future that it limits, so a
/// handshake that takes too long is reported here, by its name.
///
/// # Errors
/// The connection is refused or fails, or there is no TLS session before the deadline.
pub(super) async fn connect(
    address: SocketAddr,
    endpoint: &Endpoint,
    is_http2: bool,
    deadline: Instant,
) -> Result<Stream, Fault> {
    let stream = TcpStream::connect(address).await.map_err(|error| Fault::not_connected(&error))?;
    let _ = stream.set_nodelay(true);
    let Some((tls, name)) = &endpoint.tls else { return Ok(Either::Left(stream)) };
    match timeout_at(deadline, tls.connect(stream, name.clone(), is_http2)).await {
        Ok(stream) => stream.map(Either::Right),
        Err(_) => Err(Fault::new(Outcome::TlsHandshake, "the server did not complete the TLS handshake in time")),
    }
}
