//! Metrics through the `metrics` facade: feature `metrics`. The recorder is the user's; these are the names.
//!
//! | name | kind | labels | what it says |
//! |---|---|---|---|
//! | `graceful_phase` | gauge | | the phase: 0 starting, 1 serving, 2 grace, 3 draining, 4 hooks, 5 stopped |
//! | `graceful_in_flight` | gauge | `name` | what the drain would wait for: connections of a server, tasks; sampled each second |
//! | `graceful_drained_total` | counter | | of what was in flight when the drain began: what finished |
//! | `graceful_cut_total` | counter | `name` | what was cut at the drain deadline |
//! | `graceful_hook_duration_seconds` | histogram | `hook`, `outcome` | how long each hook took, and how it ended |
//! | `graceful_check_ok` | gauge | `check`, `on` | 1 if the check allows its probe to say yes, else 0 |

use crate::{
    board::CheckState,
    drain::Tracker,
    phase::Phase,
    report::{Entry, What},
};
use metrics::{counter, gauge, histogram};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{runtime::Handle, time::interval};

/// How often gauges of what is in flight are set.
const SAMPLE: Duration = Duration::from_secs(1);

/// Counts what an entry of the timeline says. Called where a user's code may run: on the log thread.
pub(crate) fn count(entry: &Entry) {
    match &entry.what {
        What::Phase(phase, _) => gauge!("graceful_phase").set(f64::from(*phase as u8)),
        What::Hook(hook) => {
            let labels = [("hook", hook.hook.name.to_string()), ("outcome", hook.outcome.name().to_owned())];
            histogram!("graceful_hook_duration_seconds", &labels).record(hook.took.as_secs_f64());
        }
        What::Cut(name, count) => counter!("graceful_cut_total", "name" => name.clone()).increment(*count as u64),
        What::Drained(count) => counter!("graceful_drained_total").increment(*count as u64),
        What::Check(check) => set(check),
        What::Main(_) | What::Waited(..) | What::Note(_) => {}
    }
}

fn set(check: &CheckState) {
    gauge!("graceful_check_ok", "check" => check.name, "on" => check.on.name())
        .set(f64::from(u8::from(check.allows())));
}

/// Sets the gauges of what is in flight, on the user's runtime, until the process ends.
/// `now` tells the phase and what the checks have found: set again and again, as the recorder may be installed late.
pub(crate) fn start(
    tracker: Arc<Tracker>,
    runtime: &Handle,
    now: impl Fn() -> (Phase, Vec<CheckState>) + Send + 'static,
) {
    runtime.spawn(async move {
        let mut ticks = interval(SAMPLE);
        let mut known = BTreeSet::new();
        loop {
            ticks.tick().await;
            let (phase, checks) = now();
            gauge!("graceful_phase").set(f64::from(phase as u8));
            checks.iter().for_each(set);
            let now = tracker.remaining();
            // What has ended is zero, not what it was last.
            for gone in known.iter().filter(|name| !now.iter().any(|(present, _)| present == *name)) {
                gauge!("graceful_in_flight", "name" => String::clone(gone)).set(0.0);
            }
            for (name, count) in now {
                gauge!("graceful_in_flight", "name" => name.clone()).set(count as f64);
                known.insert(name);
            }
        }
    });
}
