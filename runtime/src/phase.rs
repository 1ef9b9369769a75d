//! The phases of a process.

use std::fmt;

/// The phases of a process, in order. A process never goes back, and enters each at most once.
///
/// ```
/// use graceful::Phase;
/// assert!(Phase::Serving < Phase::Grace);
/// assert_eq!(Phase::Draining.to_string(), "draining");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Phase {
    /// Not ready: signals and probes are handled, traffic is not expected.
    Starting = 0,
    /// Ready: traffic is served.
    Serving = 1,
    /// A shutdown has begun, and traffic is still served while load balancers remove the process.
    Grace = 2,
    /// The backlog is emptied, then new connections are refused; requests and tasks in flight finish.
    Draining = 3,
    /// The shutdown hooks run.
    Hooks = 4,
    /// The hooks have ended; the process is about to exit.
    Stopped = 5,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 6] = [Self::Starting, Self::Serving, Self::Grace, Self::Draining, Self::Hooks, Self::Stopped];

    /// The phase's name in logs, probes and reports, such as `draining`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Serving => "serving",
            Self::Grace => "grace",
            Self::Draining => "draining",
            Self::Hooks => "hooks",
            Self::Stopped => "stopped",
        }
    }

    /// Whether a shutdown has begun.
    pub const fn is_terminating(self) -> bool {
        self as u8 >= Self::Grace as u8
    }

    /// The phase with this number; numbers above the last one are [`Phase::Stopped`].
    pub(crate) const fn from_u8(number: u8) -> Self {
        match number {
            0 => Self::Starting,
            1 => Self::Serving,
            2 => Self::Grace,
            3 => Self::Draining,
            4 => Self::Hooks,
            _ => Self::Stopped,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_belong_together() {
        for phase in Phase::ALL {
            assert_eq!(Phase::from_u8(phase as u8), phase);
        }
        assert_eq!(Phase::from_u8(77), Phase::Stopped);
    }
}
