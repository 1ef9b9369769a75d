//! Decides a probe: a pure function of the phase, the `unready` key and the checks.

use super::probe::Probe;
use crate::{
    context::Context,
    phase::Phase,
    report::check_state::{CheckState, On},
};
use graceful_plan::Unready;

/// What a decision depends on.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) phase: Phase,
    pub(crate) was_ready: bool,
    pub(crate) unready: Unready,
    /// Everything in flight: name and number; filled in only if the response shows it.
    pub(crate) in_flight: Vec<(String, usize)>,
    /// The checks of the requested probe.
    pub(crate) checks: Vec<CheckState>,
}

impl Facts {
    pub(crate) fn of(context: &Context, on: On) -> Self {
        Self {
            phase: context.phase(),
            was_ready: context.0.was_ready(),
            unready: context.0.plan.unready,
            in_flight: Vec::new(),
            checks: context.0.board.of(on),
        }
    }

    /// Whether the probe succeeds as far as the process goes, checks aside; and the word for it.
    fn process(&self, on: On) -> (bool, &'static str) {
        let ready = match self.phase {
            Phase::Starting => false,
            Phase::Serving => true,
            Phase::Grace => self.unready != Unready::OnSignal,
            Phase::Draining | Phase::Hooks | Phase::Stopped => self.unready == Unready::Never,
        };
        let terminating = self.phase.is_terminating();
        match on {
            On::Liveness => (true, "ok"),
            // A shutdown ends the start-up: a failing startup probe would restart a process that already shuts down.
            On::Startup if self.was_ready || terminating => (true, "ok"),
            On::Readiness if self.was_ready && ready => (true, "ok"),
            On::Readiness if terminating => (false, "draining"),
            On::Readiness | On::Startup => (false, "starting"),
        }
    }

    /// Decides a probe without the `excluded` checks, or of `only` one check.
    pub(super) fn decide(self, on: On, only: Option<&str>, excluded: &[&str]) -> Probe {
        let (process, word) = if only.is_some() { (true, "ok") } else { self.process(on) };
        let is_included = |check: &CheckState| only.map_or(!excluded.contains(&check.name), |only| only == check.name);
        let checks: Vec<_> = self.checks.into_iter().filter(is_included).collect();
        // The runner stops at the shutdown, so the last results are outdated and decide nothing.
        let checks_allow = (self.phase.is_terminating() && only.is_none()) || checks.iter().all(CheckState::allows);
        let pending = checks.iter().all(|check| check.allows() || check.status.name() == "pending");
        let word = match (process, checks_allow) {
            (true, false) if pending => "starting",
            (true, false) => "failing",
            _ => word,
        };
        Probe { on, healthy: process && checks_allow, word, phase: self.phase, checks, in_flight: self.in_flight }
    }
}

/// Whether this probe would succeed.
#[cfg(feature = "tonic")]
pub(super) fn is_healthy(context: &Context, on: On) -> bool {
    Facts::of(context, on).decide(on, None, &[]).healthy
}
