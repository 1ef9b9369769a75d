//! TLS, with rustls as the client.

use crate::{example, traffic_address};
use graceful_tests::{Client, PATIENCE, Signal, Traffic, wait_for};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

type Tls = BufReader<StreamOwned<ClientConnection, TcpStream>>;

fn connect(to: SocketAddr) -> io::Result<Tls> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(SelfSigned))
        .with_no_client_auth();
    let session = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(StreamOwned::new(session, stream)))
}

/// Sends a request and reads its response. Returns whether the response has `Connection: close`.
fn get(tls: &mut Tls, path: &str) -> io::Result<bool> {
    write!(tls.get_mut(), "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    response(tls)
}

fn response(tls: &mut Tls) -> io::Result<bool> {
    let (mut line, mut length, mut says_close) = (String::new(), 0, false);
    tls.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(io::Error::other(format!("not 200: `{line}`")));
    }
    while line != "\r\n" {
        line.clear();
        tls.read_line(&mut line)?;
        let header = line.to_lowercase();
        says_close |= header == "connection: close\r\n";
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    tls.read_exact(&mut vec![0; length])?;
    Ok(says_close)
}

#[test]
fn no_request_over_tls_fails_during_a_shutdown() {
    let app = example!("tls").start();
    let to = traffic_address(&app);
    let traffic = Traffic::over(2, move || {
        let mut tls = connect(to)?;
        Ok(Box::new(move || get(&mut tls, "/")))
    });
    traffic.wait_for_responses(30);
    let mut slow = connect(to).unwrap();
    get(&mut slow, "/").unwrap();
    app.begin_shutdown(Signal::TERM);
    wait_for(app.health(), "/readyz", 503, "draining");
    traffic.wait_for_responses(30);
    slow.get_mut().write_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    traffic.expect_no_failures();
    app.logs("draining: ");
    assert!(response(&mut slow).unwrap(), "the response has `Connection: close`");
    // close_notify, then FIN: rustls reports an error without close_notify.
    assert_eq!(slow.read(&mut [0]).unwrap(), 0);
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn the_timeout_closes_connections_without_a_complete_handshake() {
    let app = example!("tls").start();
    let to = traffic_address(&app);
    let (mut silent, mut half, begun) = (Client::new(to), Client::new(to), Instant::now());
    half.write("\u{16}\u{3}\u{1}"); // the first bytes of a ClientHello
    wait_for(app.health(), "/readyz?verbose", 200, "in flight: 2 connections");
    silent.expect_disconnect();
    half.expect_disconnect();
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(2500) && took < Duration::from_secs(10), "{took:?}");
    wait_for(app.health(), "/readyz?verbose", 200, "phase: serving\nin flight: 1 server on ");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn connections_without_a_complete_handshake_do_not_delay_the_drain() {
    let app = example!("tls").env("GRACEFUL_GRACE", "0s").start();
    let to = traffic_address(&app);
    let (mut silent, mut half) = (Client::new(to), Client::new(to));
    half.write("\u{16}\u{3}\u{1}");
    wait_for(app.health(), "/readyz?verbose", 200, "in flight: 2 connections");
    app.begin_drain();
    silent.expect_disconnect();
    half.expect_disconnect();
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn a_handshake_that_makes_progress_in_the_drain_is_completed_and_its_request_served() {
    let app = example!("tls").env("GRACEFUL_GRACE", "0s").start();
    let mut tls = connect(traffic_address(&app)).unwrap();
    let (mut hello, stream) = (Vec::new(), tls.get_mut());
    stream.conn.write_tls(&mut hello).unwrap();
    let (begun, rest) = hello.split_at(10);
    stream.sock.write_all(begun).unwrap();
    wait_for(app.health(), "/readyz?verbose", 200, "in flight: 1 connections");
    app.begin_drain();
    for piece in rest.chunks(rest.len().div_ceil(12)) {
        // The pauses add up to more than the drain waits for a silent connection (500 ms).
        thread::sleep(Duration::from_millis(100));
        stream.sock.write_all(piece).unwrap();
    }
    assert!(get(&mut tls, "/").unwrap(), "the response has `Connection: close`");
    assert_eq!(tls.read(&mut [0]).unwrap(), 0);
    app.end().with_code(0).logs_in_order(&["draining: waiting", "hooks: nothing is in flight"]);
}

/// Accepts the self-signed certificate of the example.
#[derive(Debug)]
struct SelfSigned;

impl ServerCertVerifier for SelfSigned {
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
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
