//! What a server tells its connections, what a connection's task makes of it, and how long clients may take.

use crate::phase::Phase;
use std::time::Duration;

/// What a server tells its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Mode {
    /// Serve on.
    Serve,
    /// Serve on, and tell ever more clients to move.
    Grace,
    /// Serve on, and tell every client to move.
    Farewell,
    /// Finish what was begun.
    Drain,
    /// End now.
    Cut,
}

impl Mode {
    /// The mode that goes with a phase.
    pub(crate) fn of(phase: Phase) -> Self {
        match phase {
            Phase::Starting | Phase::Serving => Self::Serve,
            Phase::Grace => Self::Grace,
            Phase::Draining => Self::Drain,
            Phase::Hooks | Phase::Stopped => Self::Cut,
        }
    }
}

/// How long clients may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) header: Duration,
    pub(crate) body: Duration,
    pub(crate) connections: usize,
}

/// What a connection's task is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Go on.
    GoOn,
    /// Let the request at hand, or the one that begins to arrive, be the last; close if there is none.
    Turn,
    /// End now, without another word.
    End,
}
