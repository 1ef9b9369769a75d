//! What one connection is doing, in two relaxed atomics.
//!
//! The connection's own task writes (with HTTP/2 the tasks of its streams count, too); the sweep of its server adds the age, and the verdict when time is up, and gives
//! way to whatever the task has written meanwhile. Nothing here orders other memory: every decision that follows is
//! taken by the task itself, on what it wrote itself.
//!
//! It sees what is read, what is written, and where a request begins; not where an answer ends, which would take a
//! wrapper around every future and every body. So [`ANSWERED`] is an idle connection or one whose answer streams, and
//! who needs to know which asks hyper (`http.rs`).

use super::{
    bits::*,
    brings::{Brings, Length, Upgrade},
    mode::{Limits, Mode, Verdict},
};
use std::{
    io::IoSlice,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

/// What one connection is doing.
pub(crate) struct Activity {
    /// Kind, flags and age.
    state: AtomicU32,
    /// Of a `HEAD`, the bytes that have arrived; of a `BODY`, those that are missing; of HTTP/2, the open streams.
    count: AtomicU32,
}

impl Activity {
    pub(crate) const fn new() -> Self {
        Self { state: AtomicU32::new(FRESH | NEW), count: AtomicU32::new(0) }
    }

    fn kind(&self) -> u32 {
        self.state.load(Relaxed) & KIND
    }

    fn set(&self, state: u32) {
        self.state.store(state, Relaxed);
    }

    /// The same with what stays of the state before.
    fn turn_to(&self, state: u32) {
        self.set(self.state.load(Relaxed) & KEPT | state);
    }

    fn has(&self, flag: u32) -> bool {
        self.state.load(Relaxed) & flag != 0
    }

    fn on_head(&self, bytes: usize) {
        self.count.store(bytes as u32, Relaxed);
        self.set(HEAD);
    }

    /// So many bytes have arrived.
    #[inline]
    pub(crate) fn on_read(&self, bytes: usize) {
        if bytes > 0 {
            // The next request begins to arrive: nearly always.
            if self.is_answered() { self.on_head(bytes) } else { self.on_special_read(bytes) }
        }
    }

    #[cold]
    #[inline(never)]
    fn on_special_read(&self, bytes: usize) {
        let now = self.state.load(Relaxed);
        match now & KIND {
            HTTP2 => self.set(HTTP2), // it is alive
            FRESH | ANSWERED => {
                self.count.store(bytes as u32, Relaxed);
                self.turn_to(HEAD | if now & KIND == FRESH { FIRST } else { now & EARLY });
            }
            HEAD => {
                let arrived = self.count.load(Relaxed).saturating_add(bytes as u32);
                self.count.store(arrived, Relaxed);
            }
            BODY => {
                let missing = self.count.load(Relaxed).saturating_sub(bytes as u32);
                self.count.store(missing, Relaxed);
                let complete = missing == 0 && now & UNKNOWN == 0;
                self.turn_to(if complete { BUSY | HAD_BODY } else { BODY | now & UNKNOWN });
            }
            // Behind a body, it may be the body's last bytes: its head's length is not known to the byte.
            BUSY if now & HAD_BODY == 0 => self.set(now | PIPELINED),
            _ => {}
        }
    }

    /// Bytes have arrived that hyper is not given yet, as it is to begin anew with them.
    pub(crate) fn on_withheld(&self, bytes: usize) {
        let first = if self.is_fresh() || self.has(FIRST) { FIRST } else { 0 };
        self.on_head(bytes);
        self.set(HEAD | WITHHELD | first);
    }

    /// Whether what arrives now can only be the first request, or the next one.
    pub(crate) fn is_between_requests(&self) -> bool {
        self.is_fresh() || self.is_answered()
    }

    /// Whether what arrives now can be the next request, or the rest of the body of the last one.
    pub(crate) fn is_early(&self) -> bool {
        self.state.load(Relaxed) == ANSWERED | EARLY
    }

    /// Bytes are being written.
    #[inline]
    pub(crate) fn on_write(&self, slices: &[IoSlice<'_>]) {
        match self.state.load(Relaxed) {
            BUSY => self.set(ANSWERED),
            ANSWERED => {}
            _ => self.on_special_write(slices),
        }
    }

    #[cold]
    #[inline(never)]
    fn on_special_write(&self, slices: &[IoSlice<'_>]) {
        let bytes: &[u8] = slices.first().map_or(&[], |slice| slice);
        let now = self.state.load(Relaxed);
        match now & KIND {
            BUSY | BODY if bytes == b"HTTP/1.1 100 Continue\r\n\r\n" => {}
            BUSY if now & PIPELINED == 0 => self.turn_to(ANSWERED),
            BUSY => {
                // How much of the next request has arrived is not known: as good as all of it.
                self.count.store(u32::MAX, Relaxed);
                self.turn_to(HEAD);
            }
            BODY => self.turn_to(ANSWERED | EARLY),
            UPGRADE if now & OWNED != 0 => {}
            UPGRADE if bytes.starts_with(b"HTTP/1.1 101 ") => self.set(now | OWNED),
            UPGRADE if now & CONNECT != 0 && bytes.starts_with(b"HTTP/1.1 2") => self.set(now | OWNED),
            UPGRADE if bytes.starts_with(b"HTTP/1.") => {
                self.turn_to(ANSWERED | if now & HAD_BODY != 0 { EARLY } else { 0 })
            }
            HEAD => self.set(now & !(OLDEST << AGE | SUSPECT)), // it waits behind an answer, and that moves
            HTTP2 => self.set(HTTP2), // it is alive: what was handed to hyper may be on its way for long
            _ => {}
        }
    }

    /// The socket was asked itself, and it holds nothing.
    pub(crate) fn on_nothing_there(&self) {
        if self.state.load(Relaxed) & (KIND | SUSPECT) == BODY | SUSPECT {
            self.set(OVER);
        }
    }

    /// A request has arrived, without a body, and without asking for an upgrade.
    #[inline]
    pub(crate) fn on_plain_request(&self) {
        self.set(BUSY);
    }

    /// A request has arrived, with what it brings.
    pub(crate) fn on_request(&self, brings: Brings) {
        let has_body = brings.length != Length::None;
        if let Some(upgrade) = brings.upgrade {
            // Suspect for good: its stream must look at the mode itself, as no task of this crate will.
            let connect = if upgrade == Upgrade::Connect { CONNECT } else { 0 };
            return self.turn_to(UPGRADE | SUSPECT | connect | if has_body { HAD_BODY } else { 0 });
        }
        match brings.length {
            Length::None => self.turn_to(BUSY),
            Length::Unknown => self.turn_to(BODY | UNKNOWN),
            Length::AtLeast(bytes) => {
                let missing = bytes.saturating_sub(self.count.load(Relaxed));
                self.count.store(missing, Relaxed);
                self.turn_to(if missing == 0 { BUSY | HAD_BODY } else { BODY });
            }
        }
    }

    /// The connection belongs to another protocol.
    pub(crate) fn on_upgrade(&self) {
        self.set(UPGRADE | OWNED | SUSPECT);
    }

    /// hyper is about to be asked to finish. Returns whether that needs no more than asking: where no answer has
    /// begun, its head will say so. Else hyper closes when it is idle, or behind an answer that does not say so; that
    /// is when it is [turning](Self::is_turning).
    pub(crate) fn begin_turn(&self) -> bool {
        let now = self.state.load(Relaxed);
        let told = match now & KIND {
            BUSY | BODY | UPGRADE => true,
            HEAD => now & (FIRST | WITHHELD) == FIRST,
            _ => false,
        };
        self.set(if told { now | TOLD } else { now & !(WITHHELD | SUSPECT) | TURNING });
        told
    }

    /// Whether hyper was asked to finish.
    pub(crate) fn has_turned(&self) -> bool {
        self.has(KEPT)
    }

    /// hyper has finished, and begins anew, idle.
    pub(crate) fn on_new_begin(&self) {
        self.set(ANSWERED);
    }

    /// hyper has finished, and begins anew with a last request, of which so many bytes are there to be read. If the time
    /// of its head is up, the next sweep ends it, unless the head is complete by then.
    pub(crate) fn on_last_begin(&self, unread: usize, time_is_up: bool) {
        self.count.store(unread as u32, Relaxed);
        self.set(HEAD | FIRST | TOLD | if time_is_up { OLDEST << AGE } else { 0 });
    }

    /// hyper has finished, and closing means closing again. Returns whether its answer may have come before the body.
    pub(crate) fn end_turn(&self) -> bool {
        self.set(self.state.load(Relaxed) & !TURNING);
        self.has(EARLY)
    }

    /// Whether hyper was asked to finish, only so that it says when it is idle.
    pub(crate) fn is_turning(&self) -> bool {
        self.has(TURNING)
    }

    /// Whether bytes are kept from hyper.
    pub(crate) fn is_withheld(&self) -> bool {
        self.state.load(Relaxed) & (KIND | WITHHELD) == HEAD | WITHHELD
    }

    /// Whether the socket should be asked itself when the runtime knows of nothing to read.
    #[inline]
    pub(crate) fn is_suspect(&self) -> bool {
        self.has(SUSPECT)
    }

    #[cfg(feature = "http2")]
    pub(crate) fn on_http2(&self) {
        self.count.store(0, Relaxed);
        self.set(HTTP2);
    }

    /// A stream of HTTP/2 has begun.
    #[cfg(feature = "http2")]
    pub(crate) fn on_stream(&self) {
        self.count.fetch_add(1, Relaxed);
    }

    /// A stream of HTTP/2 was answered to its end, or given up.
    #[cfg(feature = "http2")]
    pub(crate) fn on_stream_end(&self) {
        self.count.fetch_sub(1, Relaxed);
    }

    /// How many streams are open, if it speaks HTTP/2.
    #[cfg(feature = "http2")]
    pub(crate) fn streams(&self) -> u32 {
        self.count.load(Relaxed)
    }

    /// Whether it speaks HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        self.kind() == HTTP2
    }

    /// Whether it speaks another protocol, or may.
    pub(crate) fn is_upgraded(&self) -> bool {
        self.kind() == UPGRADE
    }

    /// Whether a read of it is more than a read.
    #[inline]
    pub(crate) fn is_notable(&self) -> bool {
        self.has(NEW | SUSPECT)
    }

    /// Whether hyper has not looked at it yet.
    pub(crate) fn is_new(&self) -> bool {
        self.has(NEW)
    }

    /// Its first bytes were looked at, but not by hyper.
    #[cfg(feature = "http2")]
    pub(crate) fn on_first_look(&self) {
        self.set(self.state.load(Relaxed) | NEW);
    }

    /// hyper looks at it.
    pub(crate) fn on_known(&self) {
        self.set(self.state.load(Relaxed) & !NEW);
    }

    /// Nothing of a request was ever read from it.
    pub(crate) fn is_fresh(&self) -> bool {
        self.kind() == FRESH
    }

    /// It is fresh, and moves all the same: a handshake goes on.
    pub(crate) fn on_handshake(&self) {
        self.set(FRESH);
    }

    /// Whether its time was up.
    pub(crate) fn is_over(&self) -> bool {
        self.kind() == OVER
    }

    /// Idle, or streaming an answer, with nothing to remember.
    #[inline]
    pub(crate) fn is_answered(&self) -> bool {
        self.state.load(Relaxed) == ANSWERED
    }

    /// Whether it is the client's turn, in the middle of a request.
    pub(crate) fn waits_for_client(&self) -> bool {
        matches!(self.kind(), HEAD | BODY)
    }

    /// Whether a request is in flight whose answer has not begun.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.kind(), HEAD | BUSY | BODY)
    }

    /// Whether the client may still be sending when the connection is closed.
    pub(crate) fn may_receive_more(&self) -> bool {
        self.has(EARLY | PIPELINED) || self.waits_for_client()
    }

    /// What the connection's task should do now, after it has read all that there was.
    pub(crate) fn verdict(&self, mode: Mode) -> Verdict {
        let now = self.state.load(Relaxed);
        match now & KIND {
            OVER => Verdict::End,
            _ if mode == Mode::Cut => Verdict::End,
            HEAD if now & (WITHHELD | SUSPECT) != 0 => Verdict::Turn,
            _ if mode < Mode::Farewell => Verdict::GoOn,
            // Its answer says what is to be said; afterwards it is another's, or a connection like all others.
            UPGRADE => Verdict::GoOn,
            BUSY | BODY => Verdict::Turn,
            HEAD if now & EARLY == 0 => Verdict::Turn,
            _ if mode < Mode::Drain => Verdict::GoOn,
            FRESH if now >> AGE < in_ages(FRESH_IN_DRAIN) => Verdict::GoOn,
            _ => Verdict::Turn,
        }
    }

    /// Grows older; whether its task should look.
    pub(crate) fn grow_older(&self, passed: Duration, limits: &Limits, draining: bool) -> bool {
        let now = self.state.load(Relaxed);
        let limit = match now & KIND {
            FRESH if draining => FRESH_IN_DRAIN,
            FRESH => Duration::MAX,
            // It may be idle, and an idle one is not closed before the drain; in the drain, hyper is asked.
            HEAD if now & (EARLY | TURNING) != 0 => return false,
            HEAD => limits.header,
            // It may be complete, and its handler slow.
            BODY if now & UNKNOWN != 0 => return false,
            BODY => limits.body,
            // It was told to go, no handler runs, and nothing moves any more: its client is gone.
            HTTP2 if draining && self.count.load(Relaxed) == 0 => limits.body,
            _ => return false,
        };
        // The first sweep that sees it only marks it: how much of the period it was there for is not known, and nothing
        // is cut early.
        let age = match now >> AGE {
            0 => 1,
            age => age.saturating_add(in_ages(passed)).min(OLDEST),
        };
        let due = age >= in_ages(limit);
        let verdict = match now & KIND {
            HEAD if due && now & FIRST == 0 => now & !(OLDEST << AGE) | SUSPECT,
            HEAD | HTTP2 if due => OVER,
            BODY if due => now & KEPT | BODY | SUSPECT,
            _ => now & !(OLDEST << AGE),
        };
        // If the task has written meanwhile, its word counts.
        self.state.compare_exchange(now, verdict | age << AGE, Relaxed, Relaxed).is_ok() && due
    }
}

#[cfg(test)]
mod tests;
