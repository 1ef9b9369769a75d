//! A rehearsal in numbers.

use super::{
    log::{ConnectionEvent, Log, Record, Shutdown},
    outcome::Outcome,
    percentiles::Percentiles,
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
    /// Microseconds that load balancers still open connections after the signal.
    pub(crate) propagation: u64,
    /// Microseconds from the signal to SIGKILL.
    pub(crate) termination_grace_period: u64,
}

/// The requests due within one second.
#[derive(Debug, Clone, Default)]
pub(crate) struct Second {
    /// Its start in seconds relative to the signal.
    pub(crate) start: i64,
    pub(crate) succeeded: u64,
    pub(crate) elsewhere: u64,
    pub(crate) failures: BTreeMap<Outcome, u64>,
    /// Latency of successful requests, without those of `--slow`.
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

/// Connection events from the signal on; `opened` counts the whole load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Connections {
    pub(crate) opened: u64,
    pub(crate) asked: u64,
    pub(crate) closed_idle: u64,
    pub(crate) cut: u64,
}

/// A rehearsal in numbers.
#[derive(Debug, Clone)]
pub(crate) struct Summary {
    pub(crate) subject: Subject,
    /// In the order of their signals, at least one. Times are relative to the first signal.
    pub(crate) shutdowns: Vec<Shutdown>,
    pub(crate) sent: u64,
    pub(crate) succeeded: u64,
    pub(crate) elsewhere: u64,
    /// Successful requests of `--slow`.
    pub(crate) slow: u64,
    /// By the end of the first request.
    pub(crate) failures: Vec<Failed>,
    pub(crate) seconds: Vec<Second>,
    pub(crate) latency_before: Percentiles,
    pub(crate) latency_after: Percentiles,
    pub(crate) scheduling: Percentiles,
    /// Requests that waited for a free connection.
    pub(crate) queued: u64,
    pub(crate) connections: Connections,
    /// The end of the last successful request after the signal, relative to the signal.
    pub(crate) last_success: Option<i64>,
}

impl Summary {
    pub(crate) fn new(subject: Subject, log: &Log, shutdowns: Vec<Shutdown>) -> Self {
        let signal = shutdowns.first().map_or(0, |shutdown| shutdown.sent);
        let count = |outcome| log.records.iter().filter(|record| record.outcome == outcome).count() as u64;
        let elsewhere = count(Outcome::Elsewhere);
        let latency = |after: bool| {
            let records = log.records.iter().filter(move |record| (record.due >= signal) == after);
            Percentiles::of(latencies(records))
        };
        let last = log.records.iter().filter(|record| record.outcome == Outcome::Success).map(Record::end).max();
        Self {
            sent: log.records.len() as u64 - elsewhere - count(Outcome::Unsent),
            succeeded: count(Outcome::Success),
            elsewhere,
            slow: log.records.iter().filter(|record| record.slow && record.outcome == Outcome::Success).count() as u64,
            failures: failures(log, signal),
            seconds: seconds(log, signal),
            latency_before: latency(false),
            latency_after: latency(true),
            scheduling: Percentiles::of(log.records.iter().filter_map(|record| record.late)),
            queued: log.records.iter().filter(|record| record.late.is_none() && !record.slow).count() as u64,
            connections: connections(log, signal),
            last_success: last.map(|last| relative(last, signal)).filter(|last| *last >= 0),
            subject,
            shutdowns,
        }
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failures.iter().map(|failed| failed.count).sum()
    }

    /// The only shutdown, or `None` after a rolling restart.
    pub(crate) fn single(&self) -> Option<&Shutdown> {
        match &self.shutdowns[..] {
            [shutdown] => Some(shutdown),
            _ => None,
        }
    }

    /// The signal that times are relative to, in the words of a report.
    pub(crate) fn signal_name(&self) -> String {
        let name = self.shutdowns.first().map_or("the signal", |shutdown| shutdown.signal);
        if self.shutdowns.len() > 1 { format!("the first {name}") } else { name.to_owned() }
    }

    /// A time in microseconds relative to the first signal.
    pub(crate) fn relative(&self, at: u64) -> i64 {
        relative(at, self.shutdowns.first().map_or(0, |shutdown| shutdown.sent))
    }
}

fn relative(at: u64, signal: u64) -> i64 {
    at as i64 - signal as i64
}

fn latencies<'a>(records: impl Iterator<Item = &'a Record>) -> impl Iterator<Item = u32> {
    records.filter(|record| record.outcome == Outcome::Success && !record.slow).map(|record| record.latency)
}

fn failures(log: &Log, signal: u64) -> Vec<Failed> {
    let mut kinds: BTreeMap<Outcome, Failed> = BTreeMap::new();
    for record in log.records.iter().filter(|record| record.outcome.is_failure()) {
        let (outcome, end) = (record.outcome, relative(record.end(), signal));
        let error = || log.errors.get(&outcome).map(|(_, error)| error.clone()).unwrap_or_default();
        let kind = kinds.entry(outcome).or_insert_with(|| Failed {
            outcome,
            count: 0,
            before_signal: 0,
            first: end,
            last: end,
            error: error(),
        });
        kind.count += 1;
        kind.before_signal += u64::from(end < 0);
        kind.first = kind.first.min(end);
        kind.last = kind.last.max(end);
    }
    let mut kinds: Vec<_> = kinds.into_values().collect();
    kinds.sort_by_key(|kind| kind.first);
    kinds
}

fn seconds(log: &Log, signal: u64) -> Vec<Second> {
    let mut seconds: BTreeMap<i64, (Second, Vec<u32>)> = BTreeMap::new();
    // A first second of less than 50 ms is a part of the next one: the signal is not sent to the millisecond.
    let earliest = -((signal as i64 + 950_000) / 1_000_000);
    for record in &log.records {
        let start = relative(record.due, signal).div_euclid(1_000_000).max(earliest);
        let (second, latencies) = seconds.entry(start).or_default();
        match record.outcome {
            Outcome::Success if record.slow => second.succeeded += 1,
            Outcome::Success => {
                second.succeeded += 1;
                latencies.push(record.latency);
            }
            Outcome::Elsewhere => second.elsewhere += 1,
            failure => *second.failures.entry(failure).or_default() += 1,
        }
    }
    let second = |(start, (second, latencies))| Second { start, latency: Percentiles::of(latencies), ..second };
    seconds.into_iter().map(second).collect()
}

fn connections(log: &Log, signal: u64) -> Connections {
    let mut connections = Connections::default();
    for (at, event) in &log.connections {
        let after = u64::from(*at >= signal);
        match event {
            ConnectionEvent::Opened => connections.opened += 1,
            ConnectionEvent::Asked => connections.asked += after,
            ConnectionEvent::ClosedIdle => connections.closed_idle += after,
            ConnectionEvent::Cut => connections.cut += after,
        }
    }
    connections
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::report::log::Exit;

    pub(crate) fn record(due: u64, outcome: Outcome) -> Record {
        Record { due, late: Some(50), latency: 1000, outcome, slow: false }
    }

    /// A load whose signal is sent after two seconds; exit with 0 six seconds later.
    pub(crate) fn summary(records: &[Record], change: impl FnOnce(&mut Shutdown)) -> Summary {
        let mut shutdown = Shutdown {
            name: "the program".to_owned(),
            signal: "SIGTERM",
            sent: 2_000_000,
            watched: true,
            unready: Some((2_010_000, "503".to_owned())),
            exited: 8_000_000,
            exit: Exit::Code(0),
            children_left: false,
            printed: 100,
        };
        change(&mut shutdown);
        let subject = Subject {
            command: "app".to_owned(),
            url: "http://127.0.0.1:3000/".to_owned(),
            modes: "keep-alive".to_owned(),
            keep_alive: true,
            rate: 10,
            connections: 1,
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
        Summary::new(subject, &log, vec![shutdown])
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
        assert_eq!((summary.last_success, summary.signal_name().as_str()), (Some(1000), "SIGTERM"));
        assert_eq!(summary.latency_before.max, 1000);
        let late = |sent| {
            let seconds =
                super::tests::summary(&[record(0, Outcome::Success)], |shutdown| shutdown.sent = sent).seconds;
            seconds[0].start
        };
        assert_eq!([late(2_000_000), late(2_049_000), late(2_051_000)], [-2, -2, -3]);
    }
}
