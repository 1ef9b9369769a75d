//! GOAWAY, observed by a client that reads HTTP/2 frames.

use graceful_tests::{App, PATIENCE, Running, Signal, grpc::Order};
use prost::Message;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

// Frame types and flags.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

struct Frame {
    kind: u8,
    flags: u8,
    payload: Vec<u8>,
}

struct Http2(TcpStream);

impl Http2 {
    fn connect(app: &Running) -> Self {
        let mut stream = TcpStream::connect(app.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        let mut http2 = Self(stream);
        http2.write(SETTINGS, 0, 0, &[]);
        while !matches!(http2.frame().unwrap(), Frame { kind: SETTINGS, flags: ACK, .. }) {}
        http2
    }

    fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = &(payload.len() as u32).to_be_bytes()[1..];
        self.0.write_all(&[length, &[kind, flags], &stream.to_be_bytes(), payload].concat()).unwrap();
    }

    /// The next frame. Responds to pings.
    fn frame(&mut self) -> io::Result<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head)?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.0.read_exact(&mut payload)?;
        let frame = Frame { kind: head[3], flags: head[4], payload };
        if frame.kind == PING && frame.flags & ACK == 0 {
            self.write(PING, ACK, 0, &frame.payload);
        }
        Ok(frame)
    }

    /// Starts a call that ends after `release`.
    fn call(&mut self) {
        let literal = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        let named = |name: &str, value: &str| [&[0][..], &literal(name), &literal(value)].concat();
        // HPACK's static table: `:method: POST`, `:scheme: http`, and the names of `:path` and `:authority`.
        let mut headers = vec![0x83, 0x86, 0x04];
        headers.extend(literal("/shop.Orders/Place"));
        headers.push(0x01);
        headers.extend(literal("test"));
        headers.extend(named("content-type", "application/grpc"));
        headers.extend(named("te", "trailers"));
        self.write(HEADERS, END_HEADERS, 1, &headers);
        let order = Order { kind: "held".to_owned() }.encode_to_vec();
        self.write(DATA, END_STREAM, 1, &[&[0][..], &(order.len() as u32).to_be_bytes(), &order].concat());
    }

    /// Waits for a GOAWAY without an error.
    fn expect_goaway(&mut self) {
        loop {
            let frame = self.frame().unwrap();
            if frame.kind == GOAWAY {
                assert_eq!(frame.payload[4..8], [0; 4], "NO_ERROR");
                return;
            }
        }
    }

    /// Reads to the end of the connection. Returns whether a stream got a complete response.
    fn responds_and_closes(&mut self) -> bool {
        let mut responded = false;
        loop {
            match self.frame() {
                Ok(frame) => responded |= frame.kind == HEADERS && frame.flags & END_STREAM != 0,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                    return responded;
                }
            }
        }
    }
}

fn app(grace: Duration) -> App {
    App::new(env!("CARGO_BIN_EXE_grpc_app")).env("GRACEFUL_GRACE", format!("{}ms", grace.as_millis()))
}

#[test]
fn an_idle_connection_receives_goaway_when_the_drain_begins_and_is_closed() {
    let grace = Duration::from_millis(600);
    let app = app(grace).start();
    app.ready();
    let mut idle: Vec<_> = (0..5).map(|_| Http2::connect(&app)).collect();
    let sent = app.begin_shutdown(Signal::TERM);
    for idle in &mut idle {
        idle.expect_goaway();
        // The client could be about to send a call, which a GOAWAY would fail.
        assert!(sent.elapsed() >= grace, "{:?}", sent.elapsed());
        assert!(!idle.responds_and_closes());
    }
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
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
            let (mut http2, notify) = (Http2::connect(&app), notify.clone());
            http2.call();
            app.prints_times("in Place", number);
            thread::spawn(move || {
                http2.expect_goaway();
                notify.send(Instant::now()).unwrap();
                http2.responds_and_closes()
            })
        })
        .collect();
    drop(notify);
    let sent = app.begin_shutdown(Signal::TERM);
    let after: Vec<_> = goaways.iter().take(CONNECTIONS).map(|at| at - sent).collect();
    app.send_line("release");
    for connection in connections {
        assert!(connection.join().unwrap(), "a call in flight got no response");
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
