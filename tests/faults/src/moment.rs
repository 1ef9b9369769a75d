//! The moment of a shutdown at which faults are committed and a signal is sent.

use std::fmt;

/// A moment in the lifecycle of a process.
///
/// At `start-up` and `serving` the signal is the first one. At the later moments a first signal has led the process
/// there, and the signal is a further one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// `main` runs and does not serve yet.
    StartUp,
    /// Requests are served.
    Serving,
    /// The process is unready, and serves.
    Grace,
    /// A request in flight holds the drain.
    Drain,
    /// The first hook runs.
    Hooks,
}

impl Moment {
    /// Every moment, in order.
    pub const ALL: [Self; 5] = [Self::StartUp, Self::Serving, Self::Grace, Self::Drain, Self::Hooks];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StartUp => "start-up",
            Self::Serving => "serving",
            Self::Grace => "grace",
            Self::Drain => "drain",
            Self::Hooks => "hooks",
        }
    }

    /// The moment with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moment| moment.name() == name)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
