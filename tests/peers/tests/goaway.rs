//! GOAWAY on connections that have not had a request.
#![allow(clippy::unwrap_used)]

use graceful_tests::{App, PATIENCE};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;
/// A SETTINGS frame without settings.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// GET / on stream 1: `:method`, `:scheme` and `:path` of the static table, with END_STREAM and END_HEADERS.
const GET: &[u8] = &[0, 0, 3, HEADERS, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84];

/// A connection that has sent the preface, and whose server has responded to it.
fn connect(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    stream.write_all(SETTINGS).unwrap();
    assert_eq!(next(&mut stream), 4, "SETTINGS");
    stream
}

/// The type of the next frame.
fn next(stream: &mut TcpStream) -> u8 {
    let mut head = [0; 9];
    stream.read_exact(&mut head).unwrap();
    let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
    stream.read_exact(&mut payload).unwrap();
    head[3]
}

/// The type of the next frame that is a response's head or GOAWAY.
fn next_of_interest(stream: &mut TcpStream) -> u8 {
    std::iter::repeat_with(|| next(stream)).find(|kind| matches!(*kind, HEADERS | GOAWAY)).unwrap()
}

/// A client of h2 fails the call that it begins while GOAWAY arrives; on a new connection pools do not repeat it.
#[test]
fn the_first_request_of_a_connection_comes_before_its_goaway_in_the_drain() {
    let app = App::new(env!("CARGO_BIN_EXE_replica")).env("LISTEN", "127.0.0.1:0").env("GRACEFUL_GRACE", "0ms");
    let app = app.start();
    let address = app.ready();
    let (mut new, mut silent, mut used) = (connect(address), connect(address), connect(address));
    used.write_all(GET).unwrap();
    assert_eq!(next_of_interest(&mut used), HEADERS);

    app.begin_drain();
    // An idle connection gets it at once. By then the drain has reached the other two.
    assert_eq!(next_of_interest(&mut used), GOAWAY);
    new.write_all(GET).unwrap();
    assert_eq!(next_of_interest(&mut new), HEADERS, "the response, before GOAWAY");
    assert_eq!(next_of_interest(&mut new), GOAWAY);
    assert_eq!(next_of_interest(&mut silent), GOAWAY, "without a request, half a second later");
    drop((new, silent, used));
    app.end().with_code(0);
}
