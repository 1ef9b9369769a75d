//! A probe: its paths, and the decision about it.

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
    /// The probe of a path, and the name of a single check if the path has one: `/readyz/NAME`.
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

/// A user's own responses to probes.
pub(crate) type ProbeResponder = Arc<dyn Fn(&Probe) -> Response<String> + Send + Sync>;

/// A probe that was decided, as input to the response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// The probe.
    pub on: On,
    /// Whether the probe succeeds (200) or fails (503).
    pub healthy: bool,
    /// The decision as one word: `ok`, `starting`, `failing` or `draining`.
    pub word: &'static str,
    /// The phase that the process is in.
    pub phase: Phase,
    /// The checks of this probe that were not excluded.
    pub checks: Vec<CheckState>,
    /// Everything in flight: name and number.
    pub in_flight: Vec<(String, usize)>,
}
