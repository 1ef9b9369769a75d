//! What a port speaks, if it is not what a client expects.

use super::{endpoint::Endpoint, request::Mode, tls::Trust};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The limit of one look.
const LIMIT: Duration = Duration::from_secs(1);
/// What an HTTP/2 client sends first: the preface, and a SETTINGS frame without settings.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// The type of a SETTINGS frame, the first frame of a server, is in the fourth byte.
const SETTINGS: u8 = 4;

/// A protocol that a server gives away by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Http1,
    Http2,
    Tls,
}

/// Why this kind of client can never talk to this port, and what to do; `None` if it is not certain.
pub(crate) async fn mismatch(address: SocketAddr, endpoint: &Endpoint, mode: Mode) -> Option<String> {
    let http1 = [format!("GET {} HTTP/1.1\r\nhost: ", endpoint.path).as_bytes(), endpoint.host.as_bytes(), b"\r\n\r\n"]
        .concat();
    let rest = endpoint.url.split_once("://").map_or("", |(_, rest)| rest);
    if endpoint.tls.is_some() {
        let spoken = first_bytes(address, &http1).await.and_then(spoken)?;
        return (spoken != Spoken::Tls)
            .then(|| format!("the server does not speak TLS at this port; write http://{rest}"));
    }
    let (expected, own, other) = match mode.is_http2() {
        true => (Spoken::Http2, HTTP2, &http1[..]),
        false => (Spoken::Http1, &http1[..], HTTP2),
    };
    let found = match first_bytes(address, own).await.map(spoken) {
        Some(found) => found?,
        None => match first_bytes(address, other).await.and_then(spoken) {
            Some(found) => found,
            None if speaks_tls(address, endpoint).await => Spoken::Tls,
            None => return None,
        },
    };
    match found {
        found if found == expected => None,
        Spoken::Tls => Some(format!(
            "the server speaks TLS at this port; write https://{rest}, and --insecure or --cacert for a certificate of your own"
        )),
        Spoken::Http2 => Some("the server speaks HTTP/2 alone at this port; use --http2 or --grpc, and no other kind of client".to_owned()),
        Spoken::Http1 => Some(match mode {
            Mode::Grpc => "the server speaks HTTP/1.1 at this port, and gRPC needs HTTP/2; name the port of gRPC with --url".to_owned(),
            _ => "the server speaks HTTP/1.1 alone at this port; leave --http2 out, or turn HTTP/2 without TLS on in the server".to_owned(),
        }),
    }
}

/// The protocol of a server that begins with these bytes.
fn spoken(bytes: [u8; 5]) -> Option<Spoken> {
    match bytes {
        [b'H', b'T', b'T', b'P', b'/'] => Some(Spoken::Http1),
        // A record with an alert or a handshake, of any version of TLS.
        [0x15 | 0x16, 3, ..] => Some(Spoken::Tls),
        [.., SETTINGS, _] => Some(Spoken::Http2),
        _ => None,
    }
}

/// The first bytes of the response to these bytes; `None` if there are none.
async fn first_bytes(address: SocketAddr, request: &[u8]) -> Option<[u8; 5]> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(request).await.ok()?;
        let mut bytes = [0; 5];
        stream.read_exact(&mut bytes).await.ok()?;
        Some(bytes)
    };
    timeout(LIMIT, exchange).await.ok().flatten()
}

/// Whether a TLS handshake succeeds, whatever the certificate.
async fn speaks_tls(address: SocketAddr, endpoint: &Endpoint) -> bool {
    let (Ok(tls), Some(name)) = (Trust::any().tls(), endpoint.server_name()) else { return false };
    let handshake = async {
        let stream = TcpStream::connect(address).await.ok()?;
        tls.connect(stream, name, false).await.ok()
    };
    timeout(LIMIT, handshake).await.is_ok_and(|stream| stream.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_of_a_server_tell_its_protocol() {
        for (bytes, expected) in [
            (*b"HTTP/", Some(Spoken::Http1)),
            ([0x15, 3, 1, 0, 2], Some(Spoken::Tls)),
            ([0, 0, 18, 4, 0], Some(Spoken::Http2)),
            (*b"<html", None),
            (*b"220 m", None),
        ] {
            assert_eq!(spoken(bytes), expected);
        }
    }
}
