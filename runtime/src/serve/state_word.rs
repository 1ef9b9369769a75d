//! The bits of a connection's state: its kind, flags and age.

use std::time::Duration;

// The kind: the lowest three bits.
pub(super) const KIND: u32 = 0b111;
/// No byte has been read.
pub(super) const NEW: u32 = 0;
/// Bytes have been read since the last response, and no request has been parsed. `count`: how many.
pub(super) const READING_HEAD: u32 = 1;
/// A request is in flight. `count`: its bytes, and those behind it, as far as they were read; or more.
pub(super) const IN_FLIGHT: u32 = 2;
/// A request is in flight whose body is certain to be incomplete. `count`: at least so many bytes are missing.
pub(super) const READING_BODY: u32 = 3;
/// The last response has ended or was aborted, and nothing was read since. `count`: as `IN_FLIGHT`.
pub(super) const IDLE: u32 = 4;
/// The connection belongs to another protocol, whose owner decides when it ends.
pub(super) const UPGRADED: u32 = 5;
/// HTTP/2. `count`: the open streams, and all that have become tunnels.
pub(super) const HTTP2: u32 = 6;
/// The client stopped sending in the middle of a request, and its time is up.
pub(super) const TIMED_OUT: u32 = 7;

// Flags beside the kind.
/// Of `READING_HEAD` and `HTTP2`: no request came before on this connection.
pub(super) const FIRST: u32 = 1 << 3;
/// The timeout has passed. The connection's task decides what follows, after it has asked the socket itself.
pub(super) const EXPIRED: u32 = 1 << 4;
/// Of `READING_BODY`: hyper has asked for more bytes and got none, so the client is waited for.
pub(super) const STALLED: u32 = 1 << 5;
/// The last request's body may be incomplete, so the client may still be sending.
pub(super) const BODY_OPEN: u32 = 1 << 6;
/// The current request may end in an upgrade, so its response is looked at.
pub(super) const SPECIAL: u32 = 1 << 7;
/// The current request is of HTTP/1.0.
pub(super) const HTTP_10: u32 = 1 << 8;
/// The last write was blocked, so the response is not on its way yet.
pub(super) const WRITE_BLOCKED: u32 = 1 << 9;
/// Of `IDLE`: the connection is closed because the drain has found it idle.
pub(super) const CLOSED_IDLE: u32 = 1 << 10;
/// What is known of the current request.
pub(super) const OF_REQUEST: u32 = SPECIAL | HTTP_10;

/// Above the flags: the age of the state, in units of 50 ms; up to 29 hours.
pub(super) const AGE: u32 = 11;
pub(super) const OLDEST: u32 = u32::MAX >> AGE;

/// The unit of an age.
pub(super) const RESOLUTION: Duration = Duration::from_millis(50);

/// A time as an age, rounded down.
pub(super) fn age_of(time: Duration) -> u32 {
    (time.as_nanos() / RESOLUTION.as_nanos()).min(u128::from(OLDEST - 1)) as u32
}
