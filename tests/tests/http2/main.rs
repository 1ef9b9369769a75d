//! HTTP/2 by frames: the cases of RFC 9113 and RFC 7541, by section, against bare hyper and `serve` in every phase.
//!
//! A client writes the frames of a case behind a request in flight (`run.rs`). While the process serves, in grace and in the
//! drain, `serve` sends the frames that bare hyper sends, but for the GOAWAY of a graceful shutdown and its PING.
#![allow(clippy::unwrap_used)]

mod cases;
mod frames;
mod run;
#[path = "../oracle/silence.rs"]
mod silence;

use cases::{Case, Expected};
use frames::{Frame, GOAWAY, PING, PONG, RST_STREAM};
use run::{Outcome, Server, run};

/// The payload of h2's PING with which a graceful shutdown begins.
const SHUTDOWN_PING: [u8; 8] = [0x0b, 0x7b, 0xa2, 0xf0, 0x8b, 0x9b, 0xfe, 0x54];

/// h2 ends the connection with PROTOCOL_ERROR, where the RFC asks for a more specific code.
const CODE: Expected = Expected::Connection(&[1]);

/// Cases in which h2 does not do what the RFC asks, with what it does.
const DEVIATIONS: [(&str, Expected); 20] = [
    ("a block that cannot be decoded", CODE),
    ("PRIORITY of 4 bytes", CODE),
    ("RST_STREAM of 3 bytes", CODE),
    ("PING of 6 bytes", CODE),
    ("GOAWAY of 4 bytes", CODE),
    ("an ACK with a payload", CODE),
    ("SETTINGS of 3 bytes", CODE),
    ("INITIAL_WINDOW_SIZE of 2 to the power of 31", CODE),
    ("WINDOW_UPDATE of 3 bytes", CODE),
    ("an index outside of the tables", CODE),
    ("a table that is larger than allowed", CODE),
    ("a change of the table behind a header", CODE),
    ("an integer that is too long", CODE),
    ("padding of more than 7 bits", CODE),
    ("padding of zeros", CODE),
    ("the end of a string inside of it", CODE),
    ("a string without its end", CODE),
    ("index 0", CODE),
    ("a pseudo-header in a trailer", Expected::Fine),
    ("no path", Expected::Fine),
];

impl Outcome {
    /// What h2 does of a graceful shutdown.
    fn is_graceful(frame: &Frame) -> bool {
        let goaway = frame.kind == GOAWAY && frame.payload.get(4..8) == Some(&[0; 4]);
        goaway || (frame.kind == PING && frame.flags == 0 && frame.payload == SHUTDOWN_PING)
    }

    fn without_goaway(&self) -> Vec<&Frame> {
        self.frames.iter().filter(|frame| !Self::is_graceful(frame)).collect()
    }

    /// Whether the server does what is expected behind the frames of a case.
    fn is(&self, expected: Expected) -> bool {
        let code = |kind: u8, at: usize| {
            let frame = self.frames.iter().find(|frame| frame.kind == kind && !Self::is_graceful(frame));
            frame
                .and_then(|frame| frame.payload.get(at..at + 4))
                .map(|code| u32::from_be_bytes(code.try_into().unwrap()))
        };
        let is_alive = self.frames.iter().any(|frame| frame.kind == PING && frame.flags == 1 && frame.payload == PONG);
        match expected {
            Expected::Fine => is_alive && code(RST_STREAM, 0).is_none() && code(GOAWAY, 4).is_none(),
            Expected::Connection(codes) => self.closed && code(GOAWAY, 4).is_none_or(|code| codes.contains(&code)),
            Expected::Stream(codes) => {
                let found = code(RST_STREAM, 0).or(code(GOAWAY, 4));
                found.map_or(self.closed, |code| codes.contains(&code))
            }
            Expected::Either => true,
        }
    }
}

#[test]
fn each_case_of_the_rfcs_ends_as_they_say() {
    let mut wrong = Vec::new();
    for case in cases::all() {
        let outcome = run(Server::Hyper, &case);
        let deviation = DEVIATIONS.iter().find(|(name, _)| *name == case.name).map(|(_, expected)| *expected);
        if !outcome.is(deviation.unwrap_or(case.expected)) || (deviation.is_some() && outcome.is(case.expected)) {
            wrong.push(format!("{case:?}: {:?} {:?}", case.expected, outcome));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases::all().len(), wrong.join("\n"));
}

/// Whether both servers have executed the same requests. Behind an error of the connection, `serve` lingers, and h2 then
/// hands out the requests that came in the packet of the error, up to the last one that its GOAWAY names. Bare hyper drops
/// these.
fn executes_the_same(serve: &Outcome, hyper: &Outcome) -> bool {
    let is_error = |frame: &&Frame| frame.kind == GOAWAY && !Outcome::is_graceful(frame);
    let last = hyper.frames.iter().find(is_error).map(|error| {
        let stream = u32::from_be_bytes(error.payload[..4].try_into().unwrap());
        stream.div_ceil(2) as usize // the streams of a client are odd
    });
    let (more, fewer) = (&serve.requests, &hyper.requests);
    more == fewer || last.is_some_and(|last| more.starts_with(fewer) && more.len() <= last)
}

fn is_the_same_in(phase: Server) {
    let mut wrong = Vec::new();
    for case in cases::all() {
        let (serve, hyper) = (run(phase, &case), run(Server::Hyper, &case));
        let same = serve.without_goaway() == hyper.without_goaway() && executes_the_same(&serve, &hyper);
        if !same || (hyper.closed && !serve.closed) {
            wrong.push(format!("{case:?}\n  serve {serve:?}\n  hyper {hyper:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases::all().len(), wrong.join("\n"));
}

#[test]
fn each_case_is_as_with_hyper_while_the_process_serves() {
    is_the_same_in(Server::Serving);
}

#[test]
fn each_case_is_as_with_hyper_in_the_first_half_of_grace() {
    is_the_same_in(Server::Grace(25));
}

#[test]
fn each_case_is_as_with_hyper_in_the_second_half_of_grace() {
    is_the_same_in(Server::Grace(95));
}

#[test]
fn each_case_is_as_with_hyper_in_the_drain() {
    is_the_same_in(Server::Drain);
}

/// The request in flight keeps its response in every phase, and the drain announces itself.
#[test]
fn a_request_in_flight_is_answered_in_every_phase_and_the_drain_sends_goaway() {
    let nothing = Case { section: "", name: "nothing", expected: Expected::Fine, bytes: Vec::new() };
    for server in [Server::Hyper, Server::Serving, Server::Grace(25), Server::Grace(95), Server::Drain] {
        let outcome = run(server, &nothing);
        assert!(outcome.frames.iter().any(|frame| frame.stream == 1 && frame.flags & 1 != 0), "{server:?} {outcome:?}");
        let goaway = outcome.frames.iter().any(|frame| frame.kind == GOAWAY);
        match server {
            Server::Hyper | Server::Serving => assert!(!goaway, "{outcome:?}"),
            Server::Drain => assert!(goaway, "{outcome:?}"),
            Server::Grace(_) => {} // at a moment of its own
        }
    }
}
