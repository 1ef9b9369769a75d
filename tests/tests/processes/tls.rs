//! Connections over TLS, whose bytes arrive by records.

use crate::serve_on_one_thread;
use graceful_tests::{PATIENCE, Running};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::Arc,
};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, Stream, SupportedProtocolVersion, crypto::ring, version,
};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

/// One connection to the app.
struct Client {
    tls: ClientConnection,
    socket: TcpStream,
}

impl Client {
    /// Connects and has one request answered.
    fn new(app: &Running, version: &'static SupportedProtocolVersion) -> Self {
        let line = app.prints("certificate ");
        let digits = line.rsplit(' ').next().unwrap();
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        let certificate: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.into()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_protocol_versions(&[version]).unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let tls = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        let socket = TcpStream::connect(app.ready()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let mut client = Self { tls, socket };
        let request = client.request();
        client.socket.write_all(&request).unwrap();
        assert!(!client.is_last_response());
        client
    }

    /// The records of a request, and those of the handshake if it is the first.
    fn request(&mut self) -> Vec<u8> {
        while self.tls.is_handshaking() {
            self.tls.complete_io(&mut self.socket).unwrap();
        }
        self.tls.writer().write_all(b"GET /fast HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        self.records()
    }

    /// What TLS has to write.
    fn records(&mut self) -> Vec<u8> {
        let mut records = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut records).unwrap();
        }
        records
    }

    /// Reads a response. Returns whether it says that the connection closes.
    #[track_caller]
    fn is_last_response(&mut self) -> bool {
        let mut reader = BufReader::with_capacity(1, Stream::new(&mut self.tls, &mut self.socket));
        let mut response = String::new();
        while !response.ends_with("fast\n") {
            assert_ne!(reader.read_line(&mut response).unwrap(), 0, "the connection ended: {response:?}");
        }
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
        response.contains("connection: close")
    }

    /// Waits until the server ends the connection with `close_notify`.
    #[track_caller]
    fn expect_close(&mut self) {
        let read = Stream::new(&mut self.tls, &mut self.socket).read(&mut [0]);
        assert_eq!(read.unwrap(), 0);
    }
}

#[test]
fn a_request_unread_by_a_blocked_runtime_is_served_in_the_drain() {
    for version in VERSIONS {
        let mut app = serve_on_one_thread().env("HANDSHAKE", "tls").start();
        let mut clients: Vec<_> = (0..5).map(|_| Client::new(&app, version)).collect();
        app.send_line("block");
        app.prints("every worker is blocked");
        for client in &mut clients {
            let request = client.request();
            client.socket.write_all(&request).unwrap();
        }
        app.begin_drain();
        app.send_line("release");
        for client in &mut clients {
            assert!(client.is_last_response());
            client.expect_close();
        }
        app.end().with_code(0);
    }
}

#[test]
fn a_record_that_is_cut_in_the_middle_as_the_drain_begins_is_waited_for() {
    for version in VERSIONS {
        let app = serve_on_one_thread().env("HANDSHAKE", "tls").start();
        let mut client = Client::new(&app, version);
        let mut idle = Client::new(&app, version);
        let request = client.request();
        let (first, rest) = request.split_at(request.len() / 2);
        client.socket.write_all(first).unwrap();
        app.begin_drain();
        idle.expect_close(); // the server has looked at every connection
        client.socket.write_all(rest).unwrap();
        assert!(client.is_last_response());
        client.expect_close();
        app.end().with_code(0);
    }
}

/// New keys look like a part of a record, so the connection is closed like one that stops in a head: in half of the drain.
#[test]
fn new_keys_of_an_idle_client_end_its_connection_before_the_drain() {
    let app = serve_on_one_thread().env("HANDSHAKE", "tls").start();
    let mut client = Client::new(&app, &version::TLS13);
    client.tls.refresh_traffic_keys().unwrap();
    let records = client.records();
    client.socket.write_all(&records).unwrap();
    app.begin_drain();
    client.expect_close();
    app.end().with_code(0);
}
