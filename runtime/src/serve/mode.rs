//! The part of a server's behavior that follows the phase, and the limits of a server.

use crate::phase::Phase;
use std::time::Duration;

/// How a server treats its connections. Modes only move forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Mode {
    /// Serve with keep-alive.
    Serve,
    /// Serve, and ask ever more clients to reconnect.
    Grace,
    /// Finish the requests in flight, close idle connections.
    Drain,
    /// Abort every connection.
    Abort,
}

impl Mode {
    /// The mode that belongs to a phase.
    pub(crate) fn of(phase: Phase) -> Self {
        match phase {
            Phase::Starting | Phase::Serving => Self::Serve,
            Phase::Grace => Self::Grace,
            Phase::Draining => Self::Drain,
            Phase::Hooks | Phase::Stopped => Self::Abort,
        }
    }
}

/// The timeouts and the size of a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) header: Duration,
    pub(crate) body: Duration,
    /// How long a new connection may stay without a request in the drain: the first one may be on the wire.
    pub(crate) first: Duration,
    pub(crate) connections: usize,
}
