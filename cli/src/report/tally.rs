//! A log in numbers by second. The tallies of several load generators can be merged.

use super::{
    latencies::Latencies,
    log::{ConnectionEvent, Log, Long, Record},
    outcome::Outcome,
};
use std::collections::BTreeMap;

/// What happens within one second: requests by their intended send time, those of long clients by their end, connection
/// events by their time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    pub(crate) succeeded: u64,
    pub(crate) elsewhere: u64,
    /// For each kind of long clients, the requests that succeeded and those that failed; the other numbers include them.
    pub(crate) long: BTreeMap<Long, (u64, u64)>,
    pub(crate) failures: BTreeMap<Outcome, u64>,
    /// Latency of successful requests, without those of long clients.
    pub(crate) latency: Latencies,
    pub(crate) connections: Connections,
}

/// Counted connection events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Connections {
    pub(crate) opened: u64,
    pub(crate) asked: u64,
    pub(crate) closed_idle: u64,
    pub(crate) cut: u64,
}

/// The failed requests of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Their number by the second in which they ended.
    pub(crate) ended: BTreeMap<i64, u64>,
    /// The end of the first and of the last one, in microseconds relative to the origin.
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// The error of the first one.
    pub(crate) error: String,
}

/// A log in numbers. Seconds are relative to an origin.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) seconds: BTreeMap<i64, Part>,
    pub(crate) failures: BTreeMap<Outcome, Kind>,
    /// The delays of the generator itself.
    pub(crate) scheduling: Latencies,
    /// Requests that waited for a free connection.
    pub(crate) queued: u64,
    /// The end of the last successful request, in microseconds relative to the origin.
    pub(crate) last_success: Option<i64>,
    /// Lines of load pods that are no part of a tally: their number, and the last one.
    pub(crate) unread: (u64, String),
}

impl Tally {
    /// Counts the log. The origin is in microseconds relative to the start of the load.
    pub(crate) fn of(log: &Log, origin: i64) -> Self {
        let mut tally = Self::default();
        // A first second of less than 50 ms is a part of the next one: the signal is not sent to the millisecond.
        let earliest = -((origin + 950_000) / 1_000_000);
        for record in &log.records {
            let at = if record.long.is_some() { record.end() } else { record.due };
            let second = second(at, origin).max(earliest);
            tally.seconds.entry(second).or_default().add(record);
            let end = record.end() as i64 - origin;
            match record.late {
                Some(late) => tally.scheduling.add(late),
                None => tally.queued += u64::from(record.long.is_none()),
            }
            if record.outcome == Outcome::Success {
                tally.last_success = tally.last_success.max(Some(end));
            }
            if record.outcome.is_failure() {
                let error = || log.errors.get(&record.outcome).map(|(_, error)| error.clone()).unwrap_or_default();
                let kind = tally.failures.entry(record.outcome).or_insert_with(|| Kind {
                    ended: BTreeMap::new(),
                    first: end,
                    last: end,
                    error: error(),
                });
                *kind.ended.entry(end.div_euclid(1_000_000)).or_default() += 1;
                (kind.first, kind.last) = (kind.first.min(end), kind.last.max(end));
            }
        }
        for (at, event) in &log.connections {
            let part = tally.seconds.entry(second(*at, origin).max(earliest)).or_default();
            part.connections.add(*event);
        }
        tally
    }

    /// Makes everything relative to an origin that is this many seconds earlier.
    pub(crate) fn shift(self, by: i64) -> Self {
        let micros = by * 1_000_000;
        let shift = |kind: Kind| Kind {
            ended: kind.ended.into_iter().map(|(second, count)| (second + by, count)).collect(),
            first: kind.first + micros,
            last: kind.last + micros,
            error: kind.error,
        };
        Self {
            seconds: self.seconds.into_iter().map(|(second, part)| (second + by, part)).collect(),
            failures: self.failures.into_iter().map(|(outcome, kind)| (outcome, shift(kind))).collect(),
            last_success: self.last_success.map(|at| at + micros),
            ..self
        }
    }

    /// Adds the tally of another generator with the same origin.
    pub(crate) fn merge(&mut self, other: Self) {
        for (second, part) in other.seconds {
            self.seconds.entry(second).or_default().merge(part);
        }
        for (outcome, other) in other.failures {
            let Some(kind) = self.failures.get_mut(&outcome) else {
                self.failures.insert(outcome, other);
                continue;
            };
            if other.first < kind.first {
                (kind.first, kind.error) = (other.first, other.error);
            }
            kind.last = kind.last.max(other.last);
            other.ended.into_iter().for_each(|(second, count)| *kind.ended.entry(second).or_default() += count);
        }
        self.scheduling.merge(&other.scheduling);
        self.queued += other.queued;
        self.last_success = self.last_success.max(other.last_success);
        if other.unread.0 > 0 {
            self.unread = (self.unread.0 + other.unread.0, other.unread.1);
        }
    }
}

impl Part {
    fn add(&mut self, record: &Record) {
        if let Some(kind) = record.long {
            let (succeeded, failed) = self.long.entry(kind).or_default();
            *(if record.outcome.is_failure() { failed } else { succeeded }) += 1;
        }
        match record.outcome {
            Outcome::Success => {
                self.succeeded += 1;
                if record.long.is_none() {
                    self.latency.add(record.latency);
                }
            }
            Outcome::Elsewhere => self.elsewhere += 1,
            failure => *self.failures.entry(failure).or_default() += 1,
        }
    }

    fn merge(&mut self, other: Self) {
        self.succeeded += other.succeeded;
        self.elsewhere += other.elsewhere;
        add_long(&mut self.long, other.long);
        for (outcome, count) in other.failures {
            *self.failures.entry(outcome).or_default() += count;
        }
        self.latency.merge(&other.latency);
        self.connections.merge(other.connections);
    }
}

impl Connections {
    fn add(&mut self, event: ConnectionEvent) {
        *match event {
            ConnectionEvent::Opened => &mut self.opened,
            ConnectionEvent::Asked => &mut self.asked,
            ConnectionEvent::ClosedIdle => &mut self.closed_idle,
            ConnectionEvent::Cut => &mut self.cut,
        } += 1;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.opened += other.opened;
        self.asked += other.asked;
        self.closed_idle += other.closed_idle;
        self.cut += other.cut;
    }
}

/// Adds the requests of long clients.
pub(super) fn add_long(to: &mut BTreeMap<Long, (u64, u64)>, other: BTreeMap<Long, (u64, u64)>) {
    for (kind, (succeeded, failed)) in other {
        let sum = to.entry(kind).or_default();
        *sum = (sum.0 + succeeded, sum.1 + failed);
    }
}

fn second(at: u64, origin: i64) -> i64 {
    (at as i64 - origin).div_euclid(1_000_000)
}
