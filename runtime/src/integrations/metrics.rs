//! Metrics through the `metrics` facade: feature `metrics`. The user installs the recorder; these are the names.
//!
//! | name | kind | labels | value |
//! |---|---|---|---|
//! | `graceful_phase` | gauge | | the phase: 0 starting, 1 serving, 2 grace, 3 draining, 4 hooks, 5 stopped |
//! | `graceful_in_flight` | gauge | `name` | servers, connections and tasks that the drain would wait for; sampled each second. Names after the first thousand are one: `further tasks and connections` |
//! | `graceful_connections` | gauge | `server` | the open connections of a server, by its address; sampled each second |
//! | `graceful_drained_total` | counter | | connections, tasks and futures that were in flight when the drain began, and finished |
//! | `graceful_cut_total` | counter | `name` | connections, tasks and futures that were cut at the drain deadline, and `main` |
//! | `graceful_hook_duration_seconds` | histogram | `hook`, `outcome` | how long each hook took, and how it ended |
//! | `graceful_check_ok` | gauge | `check`, `on` | 1 if the check lets its probe succeed, else 0 |

use crate::{
    drain::tracker::{CONNECTIONS, MAIN, SERVER, Tracker},
    phase::Phase,
    report::{
        check_state::CheckState,
        outcome::MainResult,
        timeline::{Entry, What},
    },
};
use metrics::{counter, gauge, histogram};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{runtime::Handle, time::interval};

/// How often the gauges are set.
const SAMPLE: Duration = Duration::from_secs(1);

/// Counts an entry of the timeline. Calls the user's recorder, so it runs on the log thread.
pub(crate) fn count(entry: &Entry) {
    match &entry.what {
        What::Phase(phase, _) => gauge!("graceful_phase").set(f64::from(*phase as u8)),
        What::Hook(hook) => {
            let labels = [("hook", hook.hook.name.to_string()), ("outcome", hook.outcome.name().to_owned())];
            histogram!("graceful_hook_duration_seconds", &labels).record(hook.took.as_secs_f64());
        }
        What::Cut(name, count) => counter!("graceful_cut_total", "name" => name.clone()).increment(*count as u64),
        What::Main(MainResult::Cut) => counter!("graceful_cut_total", "name" => MAIN).increment(1),
        What::Drained(count) => counter!("graceful_drained_total").increment(*count as u64),
        What::Check(check) => set(check),
        What::Main(_) | What::Waited(..) | What::Note(_) => {}
    }
}

fn set(check: &CheckState) {
    gauge!("graceful_check_ok", "check" => check.name, "on" => check.on.name())
        .set(f64::from(u8::from(check.allows())));
}

/// Gauges of one name, distinguished by one label.
struct Gauges {
    name: &'static str,
    label: &'static str,
    known: BTreeSet<String>,
}

impl Gauges {
    const fn new(name: &'static str, label: &'static str) -> Self {
        Self { name, label, known: BTreeSet::new() }
    }

    fn set(&mut self, now: &BTreeMap<&str, usize>) {
        // A name that is no longer in flight is set to zero.
        for gone in self.known.iter().filter(|known| !now.contains_key(known.as_str())) {
            gauge!(self.name, self.label => gone.clone()).set(0.0);
        }
        for (&row, &count) in now {
            gauge!(self.name, self.label => row.to_owned()).set(count as f64);
            if !self.known.contains(row) {
                self.known.insert(row.to_owned());
            }
        }
    }
}

/// The number of connections of each server in flight, 0 included.
fn connections<'a>(in_flight: &BTreeMap<&'a str, usize>) -> BTreeMap<&'a str, usize> {
    let mut servers: BTreeMap<_, _> =
        in_flight.keys().filter_map(|name| name.strip_prefix(SERVER)).map(|server| (server, 0)).collect();
    servers.extend(in_flight.iter().filter_map(|(name, count)| Some((name.strip_prefix(CONNECTIONS)?, *count))));
    servers
}

/// Sets the gauges each second, on the user's runtime, until the process exits. `now` returns the phase and the checks,
/// whose gauges are set each time too, because the user's recorder may be installed late.
pub(crate) fn start(
    tracker: Arc<Tracker>,
    runtime: &Handle,
    now: impl Fn() -> (Phase, Vec<CheckState>) + Send + 'static,
) {
    runtime.spawn(async move {
        let mut ticks = interval(SAMPLE);
        let mut everything = Gauges::new("graceful_in_flight", "name");
        let mut servers = Gauges::new("graceful_connections", "server");
        loop {
            ticks.tick().await;
            let (phase, checks) = now();
            gauge!("graceful_phase").set(f64::from(phase as u8));
            checks.iter().for_each(set);
            let rows = tracker.remaining();
            let in_flight = rows.iter().map(|(name, count)| (name.as_str(), *count)).collect();
            everything.set(&in_flight);
            servers.set(&connections(&in_flight));
        }
    });
}
