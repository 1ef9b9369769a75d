//! What the log says when a phase begins.

use super::transition::Event;
use crate::{
    cause::{Cause, Signal},
    drain::tracker::MAIN,
    phase::Phase,
    shared::Shared,
};
use graceful_plan::{Plan, Unready, duration::Pretty};

/// How many names of what is in flight stand in one line.
const NAMES: usize = 20;

/// A step from one phase to the next.
pub(crate) struct Step<'a> {
    pub(crate) from: Phase,
    pub(crate) event: Event,
    pub(crate) to: Phase,
    /// Why the shutdown began, if it has begun.
    pub(crate) cause: Option<&'a Cause>,
    pub(crate) main_ended: bool,
}

impl Step<'_> {
    /// What the new phase means, for the log.
    pub(crate) fn message(&self, shared: &Shared) -> String {
        match (self.to, self.event) {
            (Phase::Serving, _) => format!("ready {} after the start", Pretty(shared.recorder.started().elapsed())),
            (Phase::Grace, _) => self.grace(&shared.plan),
            (Phase::Draining, _) => self.drain(shared),
            (Phase::Hooks, Event::Skip) => {
                "what was left of grace and drain is skipped, by the second SIGINT".to_owned()
            }
            (Phase::Hooks, Event::DrainOver) => "the drain deadline has passed".to_owned(),
            (Phase::Hooks, _) => "nothing is in flight".to_owned(),
            _ => String::new(),
        }
    }

    fn cause(&self) -> String {
        self.cause.map_or_else(String::new, Cause::to_string)
    }

    fn grace(&self, plan: &Plan) -> String {
        let skip = match self.cause {
            Some(Cause::Signal(Signal::Interrupt)) => "; Ctrl-C again skips it",
            _ => "",
        };
        let length = match plan.quiet {
            Some(quiet) if plan.longest_grace() > plan.grace => format!(
                "{} to {}, until nothing has arrived for {}",
                Pretty(plan.grace),
                Pretty(plan.longest_grace()),
                Pretty(quiet)
            ),
            _ => Pretty(plan.grace).to_string(),
        };
        let ready = match plan.unready {
            Unready::OnSignal => "not ready, ",
            Unready::AfterGrace | Unready::Never => "",
        };
        format!("after {}; {ready}serving goes on for {length}{skip}", self.cause())
    }

    fn drain(&self, shared: &Shared) -> String {
        let why = match (self.from, self.event) {
            (Phase::Starting, Event::Stop) => {
                format!("after {}, before it was ready, so without grace; ", self.cause())
            }
            (Phase::Starting | Phase::Serving, _) => format!("after {}; ", self.cause()),
            _ => String::new(),
        };
        let main = if self.main_ended { None } else { Some(MAIN.to_owned()) };
        let waiting = list(main, shared.tracker.remaining());
        match waiting.is_empty() {
            true => format!("{why}nothing in flight"),
            false => format!("{why}waiting up to {} for {waiting}", Pretty(shared.plan.drain)),
        }
    }
}

/// Lists what is in flight, after `first`, with the number of all that is not listed.
pub(super) fn list(first: Option<String>, in_flight: Vec<(String, usize)>) -> String {
    let more: usize = in_flight.iter().skip(NAMES).map(|(_, count)| count).sum();
    let named = in_flight.into_iter().take(NAMES).map(|(name, count)| match count {
        1 => name,
        count => format!("{name} ({count})"),
    });
    let more = (more > 0).then(|| format!("{more} more"));
    first.into_iter().chain(named).chain(more).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_twenty_and_counts_the_rest() {
        let in_flight = |names: usize| (0..names).map(|name| (format!("t{name}"), 1 + name % 2)).collect();
        assert_eq!(list(Some(MAIN.to_owned()), in_flight(3)), "main, t0, t1 (2), t2");
        assert!(list(None, in_flight(20)).ends_with(", t19 (2)"));
        assert!(list(None, in_flight(1000)).ends_with(&format!(", t19 (2), {} more", 3 * 490)));
    }
}
