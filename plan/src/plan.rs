//! The settings of a shutdown, and their defaults.

use crate::address::Health;
use std::time::Duration;

/// The settings of one shutdown. Every one can be set in a `const`.
///
/// ```
/// use graceful_plan::Plan;
/// use std::time::Duration;
/// const PLAN: Plan = Plan { grace: Duration::from_secs(8), ..Plan::DEFAULT };
/// assert_eq!(PLAN.drain, Duration::from_secs(10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How long to go on serving after the signal, while load balancers forget the pod. Default **5 s**.
    pub grace: Duration,
    /// End grace early, but not before `grace`, once nothing has arrived for this long. Default **none**: grace has a
    /// fixed length.
    pub quiet: Option<Duration>,
    /// With `quiet`: how far grace is extended while traffic still comes. Default **none**: not at all.
    pub grace_limit: Option<Duration>,
    /// How long requests in flight get after that. Default **10 s**.
    pub drain: Duration,
    /// The pod's `terminationGracePeriodSeconds`: SIGKILL follows the deletion after this long. Default **30 s**.
    pub termination_grace_period: Duration,
    /// What the pod's preStop hook spends of that before the signal comes. Default **0 s**.
    pub pre_stop: Duration,
    /// What is kept free at the end, for exiting before SIGKILL. Default **1 s**.
    pub margin: Duration,
    /// Where the health server listens. Default **`[::]:8081`**.
    pub health: Health,
    /// When the process becomes ready. Default **[`Ready::OnServe`]**.
    pub ready: Ready,
    /// When readiness turns to 503. Default **[`Unready::OnSignal`]**.
    pub unready: Unready,
    /// Liveness fails once the runtime of `main` has not run a task for this long. Default **none**: not checked.
    pub liveness_heartbeat: Option<Duration>,
    /// As PID 1, be the container's init: start the program as a child, forward signals to it and reap orphans.
    /// Default **no**.
    pub init: bool,
}

impl Plan {
    /// The plan of a process that sets nothing: 0 s + 5 s + 10 s + hooks + 1 s in 30 s.
    pub const DEFAULT: Self = Self {
        grace: Duration::from_secs(5),
        quiet: None,
        grace_limit: None,
        drain: Duration::from_secs(10),
        termination_grace_period: Duration::from_secs(30),
        pre_stop: Duration::ZERO,
        margin: Duration::from_secs(1),
        health: Health::DEFAULT,
        ready: Ready::OnServe,
        unready: Unready::OnSignal,
        liveness_heartbeat: None,
        init: false,
    };

    /// The longest that grace can be: `grace`, or `grace_limit` if that is longer.
    pub const fn longest_grace(&self) -> Duration {
        match self.grace_limit {
            Some(limit) if limit.as_nanos() > self.grace.as_nanos() => limit,
            _ => self.grace,
        }
    }

    /// How long after the signal everything, hooks included, must be over:
    /// `termination_grace_period - pre_stop - margin`.
    pub const fn allowance(&self) -> Duration {
        self.termination_grace_period.saturating_sub(self.pre_stop).saturating_sub(self.margin)
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// When the process becomes ready (`/readyz` answers 200).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ready {
    /// Once it serves through this crate, or calls `ctx.ready()`.
    #[default]
    OnServe,
    /// As soon as `main` starts.
    OnStart,
}

/// When readiness turns to 503 in a shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unready {
    /// At the signal, when the grace period begins.
    #[default]
    OnSignal,
    /// When the grace period is over: for load balancers that reset live connections of an unready target.
    AfterGrace,
    /// Not before the process exits.
    Never,
}

impl Ready {
    /// The values with the words that stand for them, in attributes, environment and output.
    pub const WORDS: [(&'static str, Self); 2] = [("on-serve", Self::OnServe), ("on-start", Self::OnStart)];

    /// The word that stands for this value.
    pub fn word(self) -> &'static str {
        word(&Self::WORDS, self)
    }
}

impl Unready {
    /// The values with the words that stand for them, in attributes, environment and output.
    pub const WORDS: [(&'static str, Self); 3] =
        [("on-signal", Self::OnSignal), ("after-grace", Self::AfterGrace), ("never", Self::Never)];

    /// The word that stands for this value.
    pub fn word(self) -> &'static str {
        word(&Self::WORDS, self)
    }
}

fn word<T: PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, v)| *v == value).map_or("", |(word, _)| word)
}
