//! GOAWAY, observed by a client that reads HTTP/2 frames.

use crate::frames::{END_STREAM, GOAWAY, HEADERS, Http2};
use graceful_tests::{App, PATIENCE, Running, Signal, grpc::Order};
use prost::Message;
use std::{
    io::ErrorKind,
    net::TcpStream,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

fn connect(app: &Running) -> Http2<TcpStream> {
    let stream = TcpStream::connect(app.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    Http2::new(stream)
}

impl Http2<TcpStream> {
    /// Starts a call that ends after `release`.
    fn call(&mut self, stream: u32) {
        let order = Order { kind: "held".to_owned() }.encode_to_vec();
        let message = [&[0][..], &(order.len() as u32).to_be_bytes(), &order].concat();
        self.post(stream, "/shop.Orders/Place", &[("content-type", "application/grpc"), ("te", "trailers")], &message);
    }

    /// Waits for a GOAWAY without an error, and returns the last stream that it names.
    fn expect_goaway(&mut self) -> u32 {
        loop {
            let frame = self.frame().unwrap();
            if frame.kind == GOAWAY {
                assert_eq!(frame.payload[4..8], [0; 4], "NO_ERROR");
                return u32::from_be_bytes(frame.payload[..4].try_into().unwrap());
            }
        }
    }

    /// Reads to the end of the connection. Returns how many streams got a complete response.
    fn responses_until_it_closes(&mut self) -> usize {
        let mut responses = 0;
        loop {
            match self.frame() {
                Ok(frame) => responses += usize::from(frame.kind == HEADERS && frame.flags & END_STREAM != 0),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                    return responses;
                }
            }
        }
    }
}

/// The types of the frames that have arrived and are not read.
fn kinds_of_unread(socket: &TcpStream) -> Vec<u8> {
    let mut bytes = [0; 1024];
    socket.set_nonblocking(true).unwrap();
    let arrived = socket.peek(&mut bytes).unwrap_or(0);
    socket.set_nonblocking(false).unwrap();
    let (mut rest, mut kinds) = (&bytes[..arrived], Vec::new());
    while let [high, middle, low, kind, ..] = *rest {
        kinds.push(kind);
        rest = rest.get(9 + u32::from_be_bytes([0, high, middle, low]) as usize..).unwrap_or_default();
    }
    kinds
}

fn app(grace: Duration) -> App {
    App::new(env!("CARGO_BIN_EXE_grpc_app")).env("GRACEFUL_GRACE", format!("{}ms", grace.as_millis()))
}

#[test]
fn an_idle_connection_receives_goaway_when_the_drain_begins_and_is_closed() {
    let grace = Duration::from_millis(600);
    let app = app(grace).start();
    app.ready();
    let mut idle: Vec<_> = (0..5).map(|_| connect(&app)).collect();
    let sent = app.begin_shutdown(Signal::TERM);
    for idle in &mut idle {
        idle.expect_goaway();
        // The client could be about to send a call, which a GOAWAY would fail.
        assert!(sent.elapsed() >= grace, "{:?}", sent.elapsed());
        assert_eq!(idle.responses_until_it_closes(), 0);
    }
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

/// A client of h2 fails the call that it begins while GOAWAY arrives, and pools do not repeat the first call of a connection.
#[test]
fn the_first_call_of_a_connection_comes_before_its_goaway_in_the_drain() {
    let mut app = app(Duration::ZERO).env("GRACEFUL_DRAIN", "10s").start();
    let address = app.ready();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut new = Http2::new(socket.try_clone().unwrap());
    let mut used = connect(&app);
    used.call(1);
    app.prints("in Place");
    let drain = Instant::now();
    app.begin_drain();
    used.expect_goaway();
    let unread = kinds_of_unread(&socket);
    // It is sent without a call half a second later, which a busy machine may reach here.
    assert!(!unread.contains(&GOAWAY) || drain.elapsed() >= Duration::from_millis(500), "it is sent before the call");
    new.call(1);
    app.prints_times("in Place", 2);
    new.expect_goaway();
    app.send_line("release");
    assert_eq!((used.responses_until_it_closes(), new.responses_until_it_closes()), (1, 1));
    app.end().with_code(0);
}

#[test]
fn connections_with_a_call_receive_goaway_spread_over_grace_and_the_call_succeeds() {
    const CONNECTIONS: usize = 20;
    let grace = Duration::from_secs(3);
    let mut app = app(grace).env("GRACEFUL_DRAIN", "10s").start();
    app.ready();
    let (notify, goaways) = mpsc::channel();
    let connections: Vec<_> = (1..=CONNECTIONS)
        .map(|number| {
            let (mut http2, notify) = (connect(&app), notify.clone());
            http2.call(1);
            app.prints_times("in Place", number);
            thread::spawn(move || {
                http2.expect_goaway();
                notify.send(Instant::now()).unwrap();
                http2.responses_until_it_closes()
            })
        })
        .collect();
    drop(notify);
    let sent = app.begin_shutdown(Signal::TERM);
    let after: Vec<_> = goaways.iter().take(CONNECTIONS).map(|at| at - sent).collect();
    app.send_line("release");
    for connection in connections {
        assert_eq!(connection.join().unwrap(), 1, "a call in flight got no response");
    }
    app.end().with_code(0);
    assert_eq!(after.len(), CONNECTIONS);
    // Evenly spread, so that the clients don't reconnect to the other replicas all at once.
    for quarter in 1..=4 {
        let times = (grace / 4 * (quarter - 1))..(grace / 4 * quarter);
        let here = after.iter().filter(|after| times.contains(after)).count();
        assert!((2..=8).contains(&here), "{here} in {times:?}: {after:?}");
    }
}

/// RFC 9113, 6.8: the first GOAWAY refuses no stream, and the one that does follows a round trip later.
#[test]
fn a_call_that_crosses_goaway_gets_its_response() {
    let mut app = app(Duration::from_millis(300)).env("GRACEFUL_DRAIN", "10s").start();
    app.ready();
    let mut http2 = connect(&app);
    http2.call(1);
    app.prints("in Place");
    app.begin_shutdown(Signal::TERM);
    assert_eq!(http2.expect_goaway(), u32::MAX >> 1);
    http2.call(3); // the server's PING behind GOAWAY has no response yet
    app.prints_times("in Place", 2);
    assert_eq!(http2.expect_goaway(), 3);
    app.send_line("release");
    assert_eq!(http2.responses_until_it_closes(), 2);
    app.end().with_code(0);
}
