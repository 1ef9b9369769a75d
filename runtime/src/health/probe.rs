//! A probe: its paths, and what is decided about it.

use crate::{
    phase::Phase,
    report::check_state::{CheckState, On},
};
use hyper::Response;
use std::sync::Arc;

/// The paths of probes, without their slash.
pub(crate) const PROBES: [(&str, On); 5] = [
    ("livez", On::Liveness),
    ("readyz", On::Readiness),
    ("startupz", On::Startup),
    ("healthz", On::Readiness),
    ("health", On::Readiness),
];

impl On {
    /// A probe's path: which probe, and the one check that it is about, if it is about one.
    pub(crate) fn of_path(path: &str) -> Option<(Self, Option<&str>)> {
        let path = path.strip_prefix('/')?;
        let (probe, check) = match path.split_once('/') {
            Some((probe, check)) => (probe, Some(check)),
            None => (path, None),
        };
        let (_, on) = PROBES.iter().find(|(name, _)| *name == probe)?;
        Some((*on, check))
    }
}

/// A user's own answers to probes.
pub(crate) type ProbeResponder = Arc<dyn Fn(&Probe) -> Response<String> + Send + Sync>;

/// A probe that has been decided, and waits for the words of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// Which probe it is.
    pub on: On,
    /// Whether the answer is yes (200) or no (503).
    pub healthy: bool,
    /// The answer in a word: `ok`, `starting`, `failing` or `draining`.
    pub word: &'static str,
    /// The phase that the process is in.
    pub phase: Phase,
    /// The checks of this probe that were not excluded.
    pub checks: Vec<CheckState>,
    /// What is in flight: name and number.
    pub in_flight: Vec<(String, usize)>,
}
