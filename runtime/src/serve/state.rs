//! The state of one connection and its timeouts, in two relaxed atomics.
//!
//! The state changes on events: a read of n bytes, a parsed request, a response head, the end of a response. No byte is
//! inspected. The tasks of the connection write the state. The sweep of the server only adds the age and [`EXPIRED`], by
//! compare-and-swap, so that a concurrent write of a task wins. No other memory depends on these atomics, so relaxed
//! ordering suffices: each decision is taken by the connection's own task, on values that this task wrote or that the
//! sweep added to them.
//!
//! ```text
//! New ──read──► ReadingHead ──request──► InFlight or ReadingBody ──response sent──► Idle ──read──► ReadingHead
//!                                              └──upgrade accepted──► Upgraded
//! ```

use super::{
    mode::{Limits, Mode},
    state_word::*,
};
use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

/// What a request says about its connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestFacts {
    /// The length of its body, 0 if it has none; `None` if the length is unknown.
    pub(crate) body: Option<u64>,
    /// Whether hyper has attached something to the request, such as an upgrade.
    pub(crate) special: bool,
    /// Whether it is of HTTP/1.0.
    pub(crate) http_10: bool,
}

/// What the task of a connection does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Wait for the next event.
    Continue,
    /// Ask hyper to close the connection once it is idle.
    GracefulShutdown,
    /// Drop the connection.
    Abort,
}

/// The state of one connection.
pub(crate) struct ConnState {
    word: AtomicU32,
    /// Bytes or streams, depending on the kind.
    count: AtomicU32,
}

impl ConnState {
    pub(crate) const fn new() -> Self {
        Self { word: AtomicU32::new(NEW), count: AtomicU32::new(0) }
    }

    fn word(&self) -> u32 {
        self.word.load(Relaxed)
    }

    fn kind(&self) -> u32 {
        self.word() & KIND
    }

    fn set(&self, word: u32) {
        self.word.store(word, Relaxed);
    }

    fn has(&self, flag: u32) -> bool {
        self.word() & flag != 0
    }

    /// A read of the stream has brought so many bytes; 0 at its end.
    #[inline(never)] // smaller reads are inlined into hyper's
    pub(crate) fn on_read(&self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if self.word() == IDLE && bytes > 0 {
            self.count.store(bytes, Relaxed);
            self.set(READING_HEAD);
        } else {
            self.on_special_read(bytes);
        }
    }

    #[cold]
    #[inline(never)]
    fn on_special_read(&self, bytes: u32) {
        let now = self.word();
        let count = self.count.load(Relaxed);
        match now & KIND {
            _ if bytes == 0 => {}
            NEW => {
                self.count.store(bytes, Relaxed);
                self.set(READING_HEAD | FIRST);
            }
            IDLE => {
                self.count.store(bytes, Relaxed);
                self.set(READING_HEAD | now & WRITE_BLOCKED);
            }
            READING_HEAD | IN_FLIGHT => self.count.store(count.saturating_add(bytes), Relaxed),
            READING_BODY => {
                let missing = count.saturating_sub(bytes);
                // How many bytes have been read beyond the body is unknown.
                self.count.store(if missing == 0 { u32::MAX } else { missing }, Relaxed);
                let kind = if missing == 0 { IN_FLIGHT } else { READING_BODY };
                self.set(kind | now & OF_REQUEST);
            }
            HTTP2 if now & FIRST == 0 => self.set(HTTP2), // the client is alive
            _ => {}
        }
    }

    /// hyper has asked for bytes, and there are none.
    pub(crate) fn on_nothing_to_read(&self) {
        let now = self.word();
        if now & KIND == READING_BODY {
            self.set(now | STALLED);
        }
    }

    /// The socket itself holds nothing to read, whatever the runtime knows of it.
    pub(crate) fn on_socket_empty(&self) {
        if self.word() & (KIND | EXPIRED) == READING_BODY | EXPIRED {
            self.set(TIMED_OUT);
        }
    }

    /// The handshake before the first request goes on.
    pub(crate) fn on_handshake(&self) {
        if self.kind() == NEW {
            self.set(NEW);
        }
    }

    /// Bytes have arrived that are not readable yet, such as a part of a TLS record: a request begins.
    pub(crate) fn on_partial_input(&self) {
        if matches!(self.kind(), NEW | IDLE) {
            self.on_read(1);
        }
    }

    /// An HTTP/1.1 request without a body and without an upgrade has been parsed.
    #[inline]
    pub(crate) fn on_plain_request(&self) {
        self.set(IN_FLIGHT);
    }

    /// An HTTP/1 request has been parsed.
    ///
    /// `count` is an upper bound of the bytes of the body that have been read: it includes the head and all bytes read
    /// together with it. So the body is marked incomplete only if it certainly is.
    pub(crate) fn on_request(&self, request: RequestFacts) {
        let flags = [(request.special, SPECIAL), (request.http_10, HTTP_10)];
        let flags = flags.into_iter().filter(|(is_set, _)| *is_set).fold(0, |flags, (_, flag)| flags | flag);
        match request.body {
            None => self.set(IN_FLIGHT | BODY_OPEN | flags),
            Some(length) => match length.saturating_sub(self.count.load(Relaxed).into()) {
                0 => self.set(IN_FLIGHT | flags),
                missing => {
                    self.count.store(u32::try_from(missing).unwrap_or(u32::MAX), Relaxed);
                    self.set(READING_BODY | flags);
                }
            },
        }
    }

    /// Whether the current request is plain: of HTTP/1.1, without a missing body, without an upgrade.
    #[inline]
    pub(crate) fn is_plain_request(&self) -> bool {
        self.word() == IN_FLIGHT
    }

    pub(crate) fn is_http_10(&self) -> bool {
        self.has(HTTP_10)
    }

    /// The head of an HTTP/1 response is ready. From here on the client may take its time for the request's body.
    pub(crate) fn on_response(&self) {
        let now = self.word();
        if now & KIND == READING_BODY {
            self.set(IN_FLIGHT | BODY_OPEN | now & (OF_REQUEST | WRITE_BLOCKED));
        }
    }

    /// A response has ended or was aborted; for HTTP/2, called per stream.
    #[inline]
    pub(crate) fn on_response_end(&self) {
        match self.word() {
            IN_FLIGHT => self.set(IDLE),
            now => self.on_special_response_end(now),
        }
    }

    #[cold]
    #[inline(never)]
    fn on_special_response_end(&self, now: u32) {
        match now & KIND {
            HTTP2 => {
                self.count.fetch_sub(1, Relaxed);
            }
            IN_FLIGHT | READING_BODY => {
                let body_open = if now & KIND == READING_BODY { BODY_OPEN } else { now & BODY_OPEN };
                // What was read of the next request is unknown: the bytes of a body have been counted off.
                self.count.store(u32::MAX, Relaxed);
                self.set(IDLE | body_open | now & WRITE_BLOCKED);
            }
            _ => {}
        }
    }

    /// A write of the stream was blocked, or was not.
    #[inline]
    pub(crate) fn on_write(&self, blocked: bool) {
        if blocked != self.has(WRITE_BLOCKED) {
            self.on_write_change(blocked);
        }
    }

    #[cold]
    fn on_write_change(&self, blocked: bool) {
        let now = self.word();
        match now & KIND {
            UPGRADED => {} // its writes are not those of a response
            // The client takes bytes: it is alive.
            HTTP2 if !blocked && now & FIRST == 0 => self.set(HTTP2),
            _ if blocked => self.set(now | WRITE_BLOCKED),
            _ => self.set(now & !WRITE_BLOCKED),
        }
    }

    /// The connection belongs to another protocol.
    pub(crate) fn on_upgrade(&self) {
        self.set(UPGRADED);
    }

    /// The connection speaks HTTP/2.
    #[cfg(feature = "http2")]
    pub(crate) fn on_http2(&self) {
        self.count.store(0, Relaxed);
        self.set(HTTP2 | FIRST);
    }

    /// GOAWAY is sent. From here on a client without an open stream is expected to close the connection.
    #[cfg(feature = "http2")]
    pub(crate) fn on_goaway(&self) {
        self.on_first_stream();
    }

    /// The connection does not wait for its first stream. A timeout of that wait is over.
    fn on_first_stream(&self) {
        let now = self.word();
        if now & FIRST != 0 {
            self.set(HTTP2 | now & WRITE_BLOCKED);
        }
    }

    /// An HTTP/2 stream has begun. It ends with [`on_response_end`](Self::on_response_end).
    pub(crate) fn on_stream(&self) {
        self.count.fetch_add(1, Relaxed);
        self.on_first_stream();
    }

    /// An HTTP/2 stream has become a tunnel (CONNECT). Its owner decides when it ends, which shows in nothing but the end
    /// of the connection after GOAWAY. So it counts as open until then.
    pub(crate) fn on_tunnel(&self) {
        self.count.fetch_add(1, Relaxed);
    }

    /// How many HTTP/2 streams are open, and how many have become tunnels.
    #[cfg(feature = "http2")]
    pub(crate) fn open_streams(&self) -> u32 {
        self.count.load(Relaxed)
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.kind() == HTTP2
    }

    pub(crate) fn is_upgraded(&self) -> bool {
        self.kind() == UPGRADED
    }

    /// Whether a timeout has passed.
    pub(crate) fn has_expired(&self) -> bool {
        self.has(EXPIRED)
    }

    /// Whether the connection needs no attention while the server serves.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        matches!(self.word(), IDLE | IN_FLIGHT)
    }

    /// Whether the client is in the middle of a request, so that a timeout runs.
    pub(crate) fn waits_for_client(&self) -> bool {
        matches!(self.kind(), READING_HEAD | READING_BODY)
    }

    /// Whether the rest of a request is due when the connection is closed.
    pub(crate) fn may_receive_more(&self) -> bool {
        self.has(BODY_OPEN) || self.waits_for_client()
    }

    /// The connection is about to be closed because the drain has found it idle.
    pub(crate) fn on_idle_close(&self) {
        let now = self.word();
        if now & KIND == IDLE {
            self.set(now | CLOSED_IDLE);
        }
    }

    /// Whether the connection closes behind a response that its client may not have read yet: it may send a further
    /// request meanwhile.
    pub(crate) fn closes_behind_response(&self) -> bool {
        !matches!(self.kind(), NEW | UPGRADED) && !self.has(CLOSED_IDLE)
    }

    /// Whether the client has let a timeout pass.
    pub(crate) fn is_late(&self) -> bool {
        let now = self.word();
        now & KIND == TIMED_OUT || (now & EXPIRED != 0 && now & KIND != NEW)
    }

    /// What the connection's task does next, after hyper has read what there was to read.
    pub(crate) fn action(&self, mode: Mode) -> Action {
        let now = self.word();
        let expired = now & EXPIRED != 0;
        match now & KIND {
            _ if mode == Mode::Abort => Action::Abort,
            // hyper drops what it has not written yet if it is asked to close behind a declined upgrade.
            kind if now & WRITE_BLOCKED != 0 && kind != HTTP2 => Action::Continue,
            TIMED_OUT => Action::Abort,
            READING_HEAD if expired && now & FIRST != 0 => Action::Abort,
            // The first request may be on the wire: GOAWAY would fail it in the client, though nothing was lost.
            HTTP2 if now & FIRST != 0 && !expired => Action::Continue,
            HTTP2 if now & FIRST != 0 => Action::GracefulShutdown,
            HTTP2 if expired => Action::Abort,
            // hyper knows whether the connection is idle, with a part of a head, or sends and receives still.
            READING_HEAD if expired => Action::GracefulShutdown,
            NEW if expired => Action::GracefulShutdown,
            IDLE if mode == Mode::Drain => Action::GracefulShutdown,
            HTTP2 if mode == Mode::Drain => Action::GracefulShutdown,
            _ => Action::Continue,
        }
    }

    /// Adds `elapsed` to the age. Returns whether the timeout has passed, so that the connection's task must look.
    pub(crate) fn tick(&self, elapsed: Duration, limits: &Limits, draining: bool) -> bool {
        let now = self.word();
        let limit = match now & KIND {
            NEW if draining => limits.first,
            HTTP2 if draining && now & FIRST != 0 => limits.first,
            READING_HEAD => limits.header,
            READING_BODY if now & STALLED != 0 => limits.body,
            // After GOAWAY, without a stream: a client that is alive closes the connection.
            HTTP2 if draining && self.count.load(Relaxed) == 0 => limits.body,
            _ => return false,
        };
        // The first tick starts the clock: for how much of the period before it the state lasted is unknown, and no
        // timeout is early.
        let age = match now >> AGE {
            0 => 1,
            age => age.saturating_add(age_of(elapsed)).min(OLDEST),
        };
        // An age of 1 is that of the first tick, when no time has passed; a limit between two units is rounded up.
        let expired = age > age_of(limit.saturating_add(RESOLUTION - Duration::from_nanos(1)));
        let next = now & !(OLDEST << AGE) | age << AGE | if expired { EXPIRED } else { 0 };
        self.word.compare_exchange(now, next, Relaxed, Relaxed).is_ok() && expired
    }
}

#[cfg(test)]
mod tests;
