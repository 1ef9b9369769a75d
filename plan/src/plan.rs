//! The settings of a shutdown, and their defaults.

use crate::{address::Health, duration::Pretty};
use std::time::Duration;

/// The settings of one shutdown. Every setting can be set in a `const`.
///
/// ```
/// use graceful_plan::Plan;
/// use std::time::Duration;
/// const PLAN: Plan = Plan { grace: Duration::from_secs(8), ..Plan::DEFAULT };
/// assert_eq!(PLAN.drain, Duration::from_secs(10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How long to keep serving after the signal, while load balancers remove the pod. Default **5 s**.
    pub grace: Duration,
    /// Ends grace once no traffic has arrived for this long: after `grace` at the earliest, after `grace_limit` at the
    /// latest. Probes are not traffic. Default **none**: grace has a fixed length.
    pub quiet: Option<Duration>,
    /// With `quiet`: the longest that grace lasts while traffic still arrives. Default **none**: grace is not extended.
    pub grace_limit: Option<Duration>,
    /// How long requests in flight may take after grace. Default **10 s**.
    pub drain: Duration,
    /// The pod's `terminationGracePeriodSeconds`: SIGKILL follows this long after the pod's deletion. Default **30 s**.
    pub termination_grace_period: Duration,
    /// The part of the termination grace period that the pod's preStop hook takes before SIGTERM. Default **0 s**.
    pub pre_stop: Duration,
    /// Time reserved at the end, so that the process exits before SIGKILL. Default **1 s**.
    pub margin: Duration,
    /// Where the health server listens. Default **`[::]:8081`**.
    pub health: Health,
    /// When the process becomes ready. Default **[`Ready::OnServe`]**.
    pub ready: Ready,
    /// When readiness turns to 503. Default **[`Unready::OnSignal`]**.
    pub unready: Unready,
    /// Liveness fails once the runtime of `main` has run no task for this long. Default **none**: not checked.
    pub liveness_heartbeat: Option<Duration>,
    /// As PID 1, act as the container's init: start the program as a child, forward signals to it and reap orphans.
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

    /// The longest possible grace: the longer of `grace` and `grace_limit`.
    pub const fn longest_grace(&self) -> Duration {
        match self.grace_limit {
            Some(limit) if limit.as_nanos() > self.grace.as_nanos() => limit,
            _ => self.grace,
        }
    }

    /// Checks the rules between settings other than the budget: `quiet` and `grace_limit` require each other,
    /// `quiet` is not zero, and `grace_limit` is longer than `grace`.
    ///
    /// # Errors
    /// The violated rule, with what to write instead.
    pub fn check_pairs(&self) -> Result<(), String> {
        match (self.quiet, self.grace_limit) {
            (None, None) => Ok(()),
            (Some(_), None) => {
                Err("quiet needs a grace_limit, which bounds how far grace is extended; set both".to_owned())
            }
            (None, Some(_)) => Err("grace_limit needs quiet, which ends grace before the limit; set both".to_owned()),
            (Some(Duration::ZERO), _) => {
                Err("quiet of 0s would end grace between two requests; write 1s or more".to_owned())
            }
            (_, Some(limit)) if limit <= self.grace => Err(format!(
                "grace_limit {} is not longer than grace {}; raise it, or shorten grace",
                Pretty(limit),
                Pretty(self.grace)
            )),
            _ => Ok(()),
        }
    }

    /// How long the shutdown may take after the signal, hooks included:
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

/// When the process becomes ready (`/readyz` is 200).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ready {
    /// Once the process serves through this library or calls `ctx.ready()`.
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
    /// When grace ends. For load balancers that reset live connections of an unready target.
    AfterGrace,
    /// Not before the process exits.
    Never,
}

impl Ready {
    /// The values with their names in attributes, environment variables and output.
    pub const WORDS: [(&'static str, Self); 2] = [("on-serve", Self::OnServe), ("on-start", Self::OnStart)];

    /// The name of this value in [`WORDS`](Self::WORDS).
    pub fn word(self) -> &'static str {
        word(&Self::WORDS, self)
    }
}

impl Unready {
    /// The values with their names in attributes, environment variables and output.
    pub const WORDS: [(&'static str, Self); 3] =
        [("on-signal", Self::OnSignal), ("after-grace", Self::AfterGrace), ("never", Self::Never)];

    /// The name of this value in [`WORDS`](Self::WORDS).
    pub fn word(self) -> &'static str {
        word(&Self::WORDS, self)
    }
}

fn word<T: PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, v)| *v == value).map_or("", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_and_grace_limit_require_each_other() {
        let secs = |secs| Some(Duration::from_secs(secs));
        let check = |quiet, grace_limit| Plan { quiet, grace_limit, ..Plan::DEFAULT }.check_pairs();
        assert_eq!(check(None, None), Ok(()));
        assert_eq!(check(secs(1), secs(9)), Ok(()));
        for (quiet, limit, said) in [
            (secs(1), None, "quiet needs"),
            (None, secs(9), "grace_limit needs"),
            (secs(0), secs(9), "quiet of 0s"),
            (secs(1), secs(5), "grace_limit 5s is not longer than grace 5s"),
        ] {
            assert!(check(quiet, limit).is_err_and(|error| error.contains(said)), "{said}");
        }
    }
}
