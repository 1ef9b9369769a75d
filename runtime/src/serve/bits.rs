//! The bits of a connection's state: what it is doing, what is to be remembered of it, and for how long it has been so.

use std::time::Duration;

/// How long a new connection may stay silent once the drain has begun: its first request may be on the wire.
pub(super) const FRESH_IN_DRAIN: Duration = Duration::from_millis(500);

// What a connection is doing: the lowest three bits of `Activity::state`.
pub(super) const KIND: u32 = 0b111;
/// Nothing was ever read from it.
pub(super) const FRESH: u32 = 0;
/// Bytes have arrived that belong to no request yet: part of a head, or what is pipelined behind an answer.
pub(super) const HEAD: u32 = 1;
/// A request is being handled, all of its body has arrived, and nothing was written since it came.
pub(super) const BUSY: u32 = 2;
/// The same, and more of its body is to come, or may be.
pub(super) const BODY: u32 = 3;
/// Something was written since the last request came: its answer streams, or has ended.
pub(super) const ANSWERED: u32 = 4;
/// It may speak another protocol now; its new owner decides when it ends.
pub(super) const UPGRADE: u32 = 5;
/// It speaks HTTP/2, whose own rules say when it is idle.
pub(super) const HTTP2: u32 = 6;
/// Its time is up.
pub(super) const OVER: u32 = 7;

// Flags beside the kind.
/// Of `BUSY`: more has arrived than the request that is being handled.
pub(super) const PIPELINED: u32 = 1 << 3;
/// Of `BUSY` and `UPGRADE`: the request has a body; of `BUSY`, it has arrived as far as its length tells.
pub(super) const HAD_BODY: u32 = 1 << 4;
/// Of `BODY`: its length is not known.
pub(super) const UNKNOWN: u32 = 1 << 5;
/// Of `ANSWERED` and `HEAD`: the answer began before the body had arrived, so what is read may be the body's.
pub(super) const EARLY: u32 = 1 << 6;
/// Of `HEAD`: no request came before it.
pub(super) const FIRST: u32 = 1 << 7;
/// Of `UPGRADE`: its new owner has it, and what it writes is no answer, whatever it looks like.
pub(super) const OWNED: u32 = FIRST;
/// Of `HEAD`: hyper was not given it yet.
pub(super) const WITHHELD: u32 = 1 << 8;
/// Nothing moves for too long: of `BODY`, a look at the socket itself decides; of `HEAD`, hyper.
pub(super) const SUSPECT: u32 = 1 << 9;
/// Of `UPGRADE`: by the method CONNECT.
pub(super) const CONNECT: u32 = 1 << 10;
/// Of `FRESH` and `HEAD`: hyper has not looked at it yet, and its task is not known.
pub(super) const NEW: u32 = 1 << 11;
/// hyper was asked to finish, and the answer to the request at hand says so.
pub(super) const TOLD: u32 = 1 << 12;
/// hyper was asked to finish, so that it says when it is idle: what it closes is not closed yet.
pub(super) const TURNING: u32 = 1 << 13;
/// What stays, whatever happens next.
pub(super) const KEPT: u32 = TOLD | TURNING;

/// Above these: for how many twentieths of a second it has been doing that, counted by the sweep; up to 3.6 hours.
pub(super) const AGE: u32 = 14;
pub(super) const OLDEST: u32 = u32::MAX >> AGE;

pub(super) fn in_ages(time: Duration) -> u32 {
    (time.as_millis() / 50).min(u128::from(OLDEST)) as u32
}
