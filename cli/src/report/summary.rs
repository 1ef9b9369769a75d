//! A rehearsal in numbers.

use super::{
    latencies::{Latencies, Percentiles},
    log::{Incident, Long, Observed, Shutdown},
    outcome::Outcome,
    tally::{Connections, Tally, add_long},
};
use std::collections::BTreeMap;

/// What was rehearsed.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) command: String,
    pub(crate) url: String,
    pub(crate) modes: String,
    /// Whether the load has keep-alive connections of HTTP/1.1.
    pub(crate) keep_alive: bool,
    pub(crate) rate: u32,
    pub(crate) connections: u32,
    /// The number of pods that send the load; 0: this process does.
    pub(crate) load_pods: u32,
    /// Microseconds that load balancers still open connections after the signal.
    pub(crate) propagation: u64,
    /// Microseconds from the signal to SIGKILL.
    pub(crate) termination_grace_period: u64,
}

/// The requests due within one second, and those of long clients that end in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Second {
    /// Its start in seconds relative to the signal.
    pub(crate) start: i64,
    pub(crate) succeeded: u64,
    pub(crate) elsewhere: u64,
    pub(crate) failures: BTreeMap<Outcome, u64>,
    /// Latency of successful requests, without those of long clients.
    pub(crate) latency: Percentiles,
}

impl Second {
    pub(crate) fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

/// A kind of failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) outcome: Outcome,
    pub(crate) count: u64,
    /// Those that ended before the signal: the shutdown is not their cause.
    pub(crate) before_signal: u64,
    /// The end of the first and of the last such request, in microseconds relative to the signal.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) error: String,
}

/// The beginning of the first disruption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) at: u64,
    /// What begins, in the words of a report: `SIGTERM`, `the first restart`.
    pub(crate) name: String,
}

/// A rehearsal in numbers.
#[derive(Debug, Clone)]
pub(crate) struct Summary {
    pub(crate) subject: Subject,
    /// Times are relative to it.
    pub(crate) origin: Origin,
    /// In the order of their signals, at least one.
    pub(crate) shutdowns: Vec<Shutdown>,
    /// Ends of containers that nobody asked for.
    pub(crate) incidents: Vec<Incident>,
    /// Times without a ready pod, from begin to end.
    pub(crate) outages: Vec<(u64, u64)>,
    pub(crate) sent: u64,
    pub(crate) succeeded: u64,
    pub(crate) elsewhere: u64,
    /// For each kind of long clients, the requests that succeeded and those that failed.
    pub(crate) long: BTreeMap<Long, (u64, u64)>,
    /// By the end of the first request.
    pub(crate) failures: Vec<Failed>,
    pub(crate) seconds: Vec<Second>,
    pub(crate) latency_before: Percentiles,
    pub(crate) latency_after: Percentiles,
    pub(crate) scheduling: Percentiles,
    /// Requests that waited for a free connection.
    pub(crate) queued: u64,
    /// Lines of load pods that could not be read: their number, and the last one.
    pub(crate) unread: (u64, String),
    /// Events from the origin on, except for `opened`, which counts the whole load.
    pub(crate) connections: Connections,
    /// The end of the last successful request after the signal, relative to the signal.
    pub(crate) last_success: Option<i64>,
}

impl Summary {
    /// The tally is relative to the origin.
    pub(crate) fn new(subject: Subject, origin: Origin, tally: Tally, shutdowns: Vec<Shutdown>) -> Self {
        let (mut connections, mut before, mut after) =
            (Connections::default(), Latencies::default(), Latencies::default());
        let mut seconds = Vec::new();
        let (mut long, mut unsent) = (BTreeMap::new(), 0);
        for (start, part) in tally.seconds {
            add_long(&mut long, part.long);
            unsent += part.failures.get(&Outcome::Unsent).copied().unwrap_or_default();
            if start < 0 {
                before.merge(&part.latency);
                connections.opened += part.connections.opened;
            } else {
                after.merge(&part.latency);
                connections.merge(part.connections);
            }
            seconds.push(Second {
                start,
                succeeded: part.succeeded,
                elsewhere: part.elsewhere,
                failures: part.failures,
                latency: part.latency.percentiles(),
            });
        }
        let total = |count: fn(&Second) -> u64| seconds.iter().map(count).sum::<u64>();
        let (succeeded, failed) = (total(|second| second.succeeded), total(Second::failed));
        let failures = tally.failures.into_iter().map(|(outcome, kind)| Failed {
            outcome,
            count: kind.ended.values().sum(),
            before_signal: kind.ended.range(..0).map(|(_, count)| count).sum(),
            first: kind.first,
            last: kind.last,
            error: kind.error,
        });
        let mut failures: Vec<_> = failures.collect();
        failures.sort_by_key(|failed| failed.first);
        Self {
            subject,
            origin,
            shutdowns,
            incidents: Vec::new(),
            outages: Vec::new(),
            sent: succeeded + failed - unsent,
            succeeded,
            elsewhere: total(|second| second.elsewhere),
            long,
            failures,
            seconds,
            latency_before: before.percentiles(),
            latency_after: after.percentiles(),
            scheduling: tally.scheduling.percentiles(),
            queued: tally.queued,
            unread: tally.unread,
            connections,
            last_success: tally.last_success.filter(|last| *last >= 0),
        }
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failures.iter().map(|failed| failed.count).sum()
    }

    /// The only shutdown of a process, or `None` after a rolling restart and in a cluster.
    pub(crate) fn single(&self) -> Option<&Shutdown> {
        match &self.shutdowns[..] {
            [shutdown] if matches!(shutdown.observed, Observed::Process { .. }) => Some(shutdown),
            _ => None,
        }
    }

    /// Whether the shutdowns are those of pods.
    pub(crate) fn in_cluster(&self) -> bool {
        self.shutdowns.iter().any(|one| matches!(one.observed, Observed::Container { .. }))
    }

    /// A time in microseconds relative to the origin.
    pub(crate) fn relative(&self, at: u64) -> i64 {
        at as i64 - self.origin.at as i64
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::report::log::{ConnectionEvent, Exit, Log, Record};

    pub(crate) fn record(due: u64, outcome: Outcome) -> Record {
        Record { due, late: Some(50), latency: 1000, outcome, long: None }
    }

    /// A load whose signal is sent after two seconds; exit with 0 six seconds later.
    pub(crate) fn summary(records: &[Record], change: impl FnOnce(&mut Shutdown)) -> Summary {
        let mut shutdown = Shutdown {
            name: "the program".to_owned(),
            signal: "SIGTERM",
            sent: 2_000_000,
            unready: Some((2_010_000, "503".to_owned())),
            exited: 8_000_000,
            exit: Exit::Code(0),
            observed: Observed::Process { watched: true, children_left: false, printed: 100 },
        };
        change(&mut shutdown);
        let subject = Subject {
            command: "app".to_owned(),
            url: "http://127.0.0.1:3000/".to_owned(),
            modes: "keep-alive".to_owned(),
            keep_alive: true,
            rate: 10,
            connections: 1,
            load_pods: 0,
            propagation: 2_000_000,
            termination_grace_period: 30_000_000,
        };
        let mut log = Log { records: records.to_vec(), ..Log::default() };
        log.connections = vec![
            (0, ConnectionEvent::Opened),
            (1, ConnectionEvent::Asked),
            (2_500_000, ConnectionEvent::Asked),
            (2_600_000, ConnectionEvent::Opened),
        ];
        log.add_error(Outcome::Refused, 5, "later".to_owned());
        log.add_error(Outcome::Refused, 4, "first".to_owned());
        let origin = Origin { at: shutdown.sent, name: shutdown.signal.to_owned() };
        let tally = Tally::of(&log, origin.at as i64);
        Summary::new(subject, origin, tally, vec![shutdown])
    }

    #[test]
    fn requests_are_counted_by_second_relative_to_the_signal() {
        let summary = summary(
            &[
                record(100, Outcome::Success),
                record(1_998_999, Outcome::Status(500)),
                record(2_000_000, Outcome::Success),
                record(2_900_000, Outcome::Refused),
                record(3_100_000, Outcome::Refused),
                record(4_200_000, Outcome::Elsewhere),
            ],
            |_| {},
        );
        let starts: Vec<_> = summary.seconds.iter().map(|second| (second.start, second.failed())).collect();
        assert_eq!(starts, [(-2, 0), (-1, 1), (0, 1), (1, 1), (2, 0)]);
        assert_eq!((summary.sent, summary.succeeded, summary.failed(), summary.elsewhere), (5, 2, 3, 1));
        let refused = &summary.failures[1];
        assert_eq!((refused.count, refused.before_signal, refused.first, refused.last), (2, 0, 901_000, 1_101_000));
        assert_eq!((refused.error.as_str(), summary.failures[0].before_signal), ("first", 1));
        assert_eq!(summary.connections, Connections { opened: 2, asked: 1, closed_idle: 0, cut: 0 });
        let shutdown = summary.single().unwrap();
        assert_eq!((shutdown.exit_after(), shutdown.unready_after()), (6_000_000, Some(10_000)));
        assert_eq!((summary.last_success, summary.origin.name.as_str()), (Some(1000), "SIGTERM"));
        assert_eq!(summary.latency_before.max, 1000);
        let late = |sent| {
            let seconds =
                super::tests::summary(&[record(0, Outcome::Success)], |shutdown| shutdown.sent = sent).seconds;
            seconds[0].start
        };
        assert_eq!([late(2_000_000), late(2_049_000), late(2_051_000)], [-2, -2, -3]);
    }
}
