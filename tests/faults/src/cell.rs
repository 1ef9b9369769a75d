//! One cell of the matrix: everything that determines a run.

use crate::{fault::Fault, moment::Moment};
use graceful_tests::Signal;
use std::{fmt, time::Duration};

/// The runtime of the app's `main`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// A multi-thread runtime with one worker.
    OneWorker,
    /// A multi-thread runtime with four workers.
    Workers,
    /// A current-thread runtime.
    CurrentThread,
}

impl Runtime {
    /// Every runtime.
    pub const ALL: [Self; 3] = [Self::OneWorker, Self::Workers, Self::CurrentThread];

    /// The name on the command line and in the app's environment.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneWorker => "one-worker",
            Self::Workers => "workers",
            Self::CurrentThread => "current-thread",
        }
    }

    /// The runtime with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|runtime| runtime.name() == name)
    }

    /// How many threads run tasks.
    pub const fn threads(self) -> usize {
        match self {
            Self::OneWorker | Self::CurrentThread => 1,
            Self::Workers => 4,
        }
    }
}

/// The lengths of the app's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// `GRACEFUL_GRACE`.
    pub grace: Duration,
    /// `GRACEFUL_DRAIN`.
    pub drain: Duration,
    /// `GRACEFUL_MARGIN`.
    pub margin: Duration,
    /// `GRACEFUL_TERMINATION_GRACE_PERIOD`.
    pub period: Duration,
}

/// The longest explicit timeout of the app's hooks.
pub(crate) const HOOK_TIMEOUT: Duration = Duration::from_secs(1);

/// What determines a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// When the faults are committed and the signal is sent.
    pub moment: Moment,
    /// What is committed, in this order.
    pub faults: Vec<Fault>,
    /// The runtime of `main`.
    pub runtime: Runtime,
    /// The plan.
    pub times: Times,
    /// The first signal.
    pub first: Signal,
    /// How long the signal follows after the faults.
    pub pause: Duration,
    /// How many clients send requests all the time.
    pub clients: usize,
    /// How many requests are in flight until the drain begins.
    pub held: usize,
}

impl Cell {
    /// The cell of the matrix with these coordinates.
    pub fn new(moment: Moment, faults: Vec<Fault>, runtime: Runtime) -> Self {
        let times = Times {
            grace: Duration::from_millis(700),
            drain: Duration::from_secs(2),
            margin: Duration::from_secs(2),
            period: Duration::from_secs(8),
        };
        Self { moment, faults, runtime, times, first: Signal::TERM, pause: Duration::ZERO, clients: 3, held: 2 }
    }

    /// Whether the cell commits this fault.
    pub fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// Whether the cell commits one of these faults.
    pub fn has_any(&self, faults: &[Fault]) -> bool {
        faults.iter().any(|fault| self.has(*fault))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<_> = self.faults.iter().map(|fault| fault.name()).collect();
        let Times { grace, drain, margin, period } = self.times;
        write!(f, "{} {} {}: ", self.moment, faults.join("+"), self.runtime.name())?;
        write!(f, "grace {grace:?}, drain {drain:?}, margin {margin:?}, termination grace period {period:?}, ")?;
        write!(f, "{} after {:?}, {} clients, {} held", signal_name(self.first), self.pause, self.clients, self.held)
    }
}

/// The name of a signal that begins a shutdown.
fn signal_name(signal: Signal) -> &'static str {
    [(Signal::INT, "SIGINT"), (Signal::HUP, "SIGHUP")]
        .into_iter()
        .find(|(of, _)| *of == signal)
        .map_or("SIGTERM", |(_, name)| name)
}
