//! What one connection is doing, in a few relaxed atomics.
//!
//! The connection's own task writes; the sweep of its server adds the age, and the verdict when time is up, and gives
//! way to whatever the task has written meanwhile. Nothing here orders other memory: every decision that follows is
//! taken by the task itself, on what it wrote itself.

use hyper::{Request, body::Body};
use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

/// What a server tells its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Mode {
    /// Serve on.
    Serve,
    /// Serve on, and tell clients to move.
    Grace,
    /// Finish what was begun.
    Drain,
    /// End now.
    Cut,
}

/// How long clients may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) header: Duration,
    pub(crate) body: Duration,
    pub(crate) connections: usize,
}

/// How long a new connection may stay silent once the drain has begun: its first request may be on the wire.
const FRESH_IN_DRAIN: u32 = 500;

/// What a connection's task is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Go on.
    GoOn,
    /// Take no further request.
    Finish,
    /// End now, without another word.
    End,
}

// What a connection is doing: the lowest three bits of `Activity::state`.
const KIND: u32 = 0b111;
/// Nothing was ever read from it.
const FRESH: u32 = 0;
/// Part of a request's head has arrived, or may have.
const HEAD: u32 = 1;
/// A request is being handled or answered, and all of its body has arrived.
const BUSY: u32 = 2;
/// A request is being handled or answered, and more of its body is to come, or may be.
const BODY: u32 = 3;
/// Between two requests.
const IDLE: u32 = 4;
/// It speaks another protocol now; its new owner decides when it ends.
const UPGRADED: u32 = 5;
/// It speaks HTTP/2, whose own rules say when it is idle.
const HTTP2: u32 = 6;
/// Its time is up.
const OVER: u32 = 7;

// Flags beside the kind.
/// More has arrived than the request that is being handled: the next one, pipelined.
const PIPELINED: u32 = 1 << 3;
/// The last request was answered before its body had arrived, as far as is known.
const EARLY: u32 = 1 << 4;
/// The request that is being handled had a body, which has arrived as far as its length tells.
const HAD_BODY: u32 = 1 << 6;
/// Nothing of the body has arrived for too long: a look at the socket itself decides.
const SUSPECT: u32 = 1 << 5;

/// The socket was asked itself since the last answer, and holds nothing.
const QUIET: u32 = 1 << 7;

/// Above these: for how many milliseconds it has been doing that, counted by the sweep.
const AGE: u32 = 8;

/// What one connection is doing.
pub(crate) struct Activity {
    /// Kind, flags and age.
    state: AtomicU32,
    /// The bytes that have arrived of the request at hand, its head included; of HTTP/2 the open streams.
    received: AtomicU32,
    /// How many bytes the request at hand has at the least, its head included; 0 if its body's length is not known.
    expected: AtomicU32,
}

impl Activity {
    pub(crate) const fn new() -> Self {
        Self { state: AtomicU32::new(FRESH), received: AtomicU32::new(0), expected: AtomicU32::new(0) }
    }

    fn kind(&self) -> u32 {
        self.state.load(Relaxed) & KIND
    }

    /// Bytes have arrived.
    #[inline]
    pub(crate) fn on_read(&self, bytes: usize) {
        // In the middle of a connection's life, nearly always.
        match bytes > 0 && self.is_idle() {
            true => self.on_head(bytes),
            false => self.on_special_read(bytes),
        }
    }

    #[inline]
    fn on_head(&self, bytes: usize) {
        self.received.store(bytes as u32, Relaxed);
        self.state.store(HEAD, Relaxed);
    }

    #[cold]
    fn on_special_read(&self, bytes: usize) {
        let now = self.state.load(Relaxed);
        match now & KIND {
            // A head, or the rest of a body whose request was answered before: hyper tells nobody which.
            IDLE if now & EARLY != 0 && bytes > 0 => {
                self.received.store(bytes as u32, Relaxed);
                self.state.store(HEAD | EARLY, Relaxed);
            }
            HTTP2 => self.state.store(HTTP2, Relaxed), // it is alive
            FRESH | IDLE if bytes > 0 => self.on_head(bytes),
            HEAD | BODY => self.on_more(now, bytes),
            // Behind a body, it may be the body's last bytes: its head's length is not known to the byte.
            BUSY if bytes > 0 && now & HAD_BODY == 0 => self.state.store(now | PIPELINED, Relaxed),
            _ => {}
        }
    }

    /// Bytes have left.
    #[cfg(feature = "http2")]
    #[inline]
    pub(crate) fn on_write(&self) {
        if self.is_http2() {
            self.state.store(HTTP2, Relaxed); // it is alive: what was handed to hyper may be on its way for long
        }
    }

    fn on_more(&self, now: u32, bytes: usize) {
        let received = self.received.load(Relaxed).saturating_add(bytes as u32);
        self.received.store(received, Relaxed);
        if now & KIND == BODY && bytes > 0 {
            let expected = self.expected.load(Relaxed);
            let complete = expected != 0 && received >= expected;
            self.state.store(if complete { BUSY | HAD_BODY } else { BODY }, Relaxed);
        }
    }

    /// The socket was asked itself, and it holds nothing.
    pub(crate) fn on_nothing_there(&self) {
        let now = self.state.load(Relaxed);
        if now & (KIND | SUSPECT) == BODY | SUSPECT {
            self.state.store(OVER, Relaxed);
        } else if now == IDLE {
            self.state.store(IDLE | QUIET, Relaxed);
        }
    }

    /// Whether the socket should be asked itself when the runtime knows of nothing to read.
    #[inline]
    pub(crate) fn is_suspect(&self) -> bool {
        self.state.load(Relaxed) & SUSPECT != 0
    }

    /// A request has arrived.
    #[inline]
    pub(crate) fn on_request<B: Body>(&self, request: &Request<B>) {
        if request.body().is_end_stream() && !self.is_http2() {
            self.state.store(BUSY, Relaxed);
        } else {
            self.on_special_request(request);
        }
    }

    #[cold]
    fn on_special_request<B: Body>(&self, request: &Request<B>) {
        if self.is_http2() {
            // Its streams are counted where the bytes of HTTP/1.1 are.
            self.received.fetch_add(1, Relaxed);
            return;
        }
        let body = request.body().size_hint().exact();
        let expected =
            body.and_then(|body| u32::try_from(body.saturating_add(shortest_head(request))).ok()).unwrap_or(0);
        self.expected.store(expected, Relaxed);
        let complete = expected != 0 && self.received.load(Relaxed) >= expected;
        self.state.store(if complete { BUSY | HAD_BODY } else { BODY }, Relaxed);
    }

    /// The request has been answered, or given up on.
    #[inline]
    pub(crate) fn on_answered(&self) {
        let now = self.state.load(Relaxed);
        match now & (KIND | PIPELINED) {
            BUSY => self.state.store(IDLE, Relaxed),
            BODY => self.state.store(IDLE | EARLY, Relaxed),
            pipelined if pipelined & KIND == BUSY => {
                // How much of the next request has arrived is not known: as good as all of it, for `expected`.
                self.received.store(u32::MAX, Relaxed);
                self.state.store(HEAD, Relaxed);
            }
            HTTP2 => {
                self.received.fetch_sub(1, Relaxed);
            }
            _ => {}
        }
    }

    /// The answer hands the connection over to another protocol.
    pub(crate) fn on_upgrade(&self) {
        // Suspect for good: its stream must look at the mode itself, as no task of this crate does it any more.
        self.state.store(UPGRADED | SUSPECT, Relaxed);
    }

    #[cfg(feature = "http2")]
    pub(crate) fn on_http2(&self) {
        self.received.store(0, Relaxed);
        self.state.store(HTTP2, Relaxed);
    }

    /// How many streams are open, if it speaks HTTP/2.
    #[cfg(feature = "http2")]
    pub(crate) fn streams(&self) -> u32 {
        self.received.load(Relaxed)
    }

    /// Whether it speaks another protocol.
    pub(crate) fn is_upgraded(&self) -> bool {
        self.kind() == UPGRADED
    }

    /// Nothing of a request was ever read from it.
    pub(crate) fn is_fresh(&self) -> bool {
        self.kind() == FRESH
    }

    /// It is fresh, and moves all the same: a handshake goes on.
    pub(crate) fn on_handshake(&self) {
        self.state.store(FRESH, Relaxed);
    }

    /// Whether its time was up.
    pub(crate) fn is_over(&self) -> bool {
        self.kind() == OVER
    }

    /// Whether it speaks HTTP/2.
    #[inline]
    pub(crate) fn is_http2(&self) -> bool {
        self.kind() == HTTP2
    }

    /// Between two requests, with nothing to remember.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.state.load(Relaxed) == IDLE
    }

    /// Whether it is the client's turn, in the middle of a request.
    pub(crate) fn waits_for_client(&self) -> bool {
        matches!(self.kind(), HEAD | BODY)
    }

    /// Whether the socket was asked itself since the last answer, and held nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        self.state.load(Relaxed) == IDLE | QUIET
    }

    /// Whether the client may still be sending when the connection is closed.
    pub(crate) fn may_receive_more(&self) -> bool {
        let now = self.state.load(Relaxed);
        now & (EARLY | PIPELINED) != 0 || matches!(now & KIND, HEAD | BODY)
    }

    /// What the connection's task should do now, after it has read all that there was.
    pub(crate) fn verdict(&self, mode: Mode) -> Verdict {
        let now = self.state.load(Relaxed);
        match now & KIND {
            OVER => Verdict::End,
            _ if mode == Mode::Cut => Verdict::End,
            _ if mode < Mode::Drain => Verdict::GoOn,
            // Its request is on the wire: it is answered, and the answer says goodbye.
            HEAD => Verdict::GoOn,
            FRESH if now >> AGE < FRESH_IN_DRAIN => Verdict::GoOn,
            _ => Verdict::Finish,
        }
    }

    /// Grows older; whether its task should look.
    pub(crate) fn grow_older(&self, passed: u32, limits: &Limits, draining: bool) -> bool {
        let now = self.state.load(Relaxed);
        let limit = match now & KIND {
            FRESH if draining => FRESH_IN_DRAIN,
            FRESH => u32::MAX >> AGE,
            // It may be idle, and an idle one is not closed before the drain.
            HEAD if now & EARLY != 0 && !draining => return false,
            HEAD => limits.header.as_millis().min(u128::from(u32::MAX >> AGE)) as u32,
            // Of unknown length: it may be complete, and its handler slow.
            BODY if self.expected.load(Relaxed) == 0 => return false,
            BODY => limits.body.as_millis().min(u128::from(u32::MAX >> AGE)) as u32,
            // It was told to go, no handler runs, and nothing moves any more: its client is gone.
            HTTP2 if draining && self.received.load(Relaxed) == 0 => {
                limits.body.as_millis().min(u128::from(u32::MAX >> AGE)) as u32
            }
            _ => return false,
        };
        // The first sweep that sees it only marks it: how much of the period it was there for is not known, and nothing
        // is cut early.
        let age = match now >> AGE {
            0 => 1,
            age => age.saturating_add(passed).min(u32::MAX >> AGE),
        };
        let due = age >= limit;
        let verdict = match now & KIND {
            HEAD | HTTP2 if due => OVER,
            BODY if due => BODY | SUSPECT,
            _ => now & !(u32::MAX << AGE),
        };
        // If the task has written meanwhile, its word counts.
        self.state.compare_exchange(now, verdict | age << AGE, Relaxed, Relaxed).is_ok() && due
    }
}

/// The shortest head that this request can have had: taken too short, a body's last bytes are not waited for;
/// taken too long, a complete request would be cut.
fn shortest_head<B>(request: &Request<B>) -> u64 {
    let line = request.method().as_str().len() + request.uri().path().len() + " HTTP/1.1\r\n".len() + 1;
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ":\r\n".len());
    (line + headers.sum::<usize>() + "\r\n".len()) as u64
}

#[cfg(test)]
mod tests;
