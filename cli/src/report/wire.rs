//! A tally as lines of JSON: the log of a load pod.

use super::{
    latencies::Latencies,
    log::Long,
    outcome::Outcome,
    tally::{Connections, Kind, Part, Tally},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The lines of another version may mean something else.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The line of a load that begins. The second is the origin of its tally, in seconds since the Unix epoch.
pub(crate) fn started(second: i64) -> String {
    format!("{}\n", json!({"load": "started", "second": second, "version": VERSION}))
}

/// The lines of a load that has ended.
pub(crate) fn lines(tally: &Tally) -> String {
    let mut text = String::new();
    let mut line = |value: Value| text += &format!("{value}\n");
    for (second, part) in &tally.seconds {
        let failures: BTreeMap<String, u64> =
            part.failures.iter().map(|(outcome, count)| (outcome.name(), *count)).collect();
        let long: BTreeMap<_, _> = part.long.iter().map(|(kind, counts)| (kind.name(), counts)).collect();
        let Connections { opened, asked, closed_idle, cut } = part.connections;
        line(json!({
            "second": second,
            "succeeded": part.succeeded,
            "elsewhere": part.elsewhere,
            "long": long,
            "failures": failures,
            "latency": part.latency.encoded(),
            "connections": [opened, asked, closed_idle, cut],
        }));
    }
    for (outcome, kind) in &tally.failures {
        let ended: Vec<_> = kind.ended.iter().collect();
        let (outcome, first, last) = (outcome.name(), kind.first, kind.last);
        line(json!({"outcome": outcome, "ended": ended, "first": first, "last": last, "error": kind.error}));
    }
    let (scheduling, last) = (tally.scheduling.encoded(), tally.last_success);
    line(json!({"load": "ended", "scheduling": scheduling, "queued": tally.queued, "last_success": last}));
    text
}

/// The log of a load pod, as far as it is read.
#[derive(Debug, Default)]
pub(crate) struct LoadLog {
    /// The origin of the tally, in seconds since the Unix epoch.
    pub(crate) started: Option<i64>,
    pub(crate) tally: Tally,
    /// The tally is complete.
    pub(crate) ended: bool,
    /// The version of the load pod.
    version: Option<String>,
}

impl LoadLog {
    /// Reads the next line.
    pub(crate) fn read(&mut self, line: &str) {
        if self.part(line).is_none() && !line.trim().is_empty() {
            let line = line.trim().chars().filter(|c| !c.is_control()).take(200).collect();
            self.tally.unread = (self.tally.unread.0 + 1, line);
        }
    }

    /// The last line that is not a part of a tally: an error.
    pub(crate) fn other(&self) -> Option<&str> {
        (self.tally.unread.0 > 0).then_some(&self.tally.unread.1)
    }

    /// Why the tally of a load that has started cannot be read.
    pub(crate) fn mismatch(&self) -> Option<String> {
        let version = self.version.as_deref();
        (self.started.is_some() && version != Some(VERSION)).then(|| {
            let version = version.unwrap_or("an older version");
            format!(
                "the image has cargo-graceful {version}, and this command is {VERSION}; build --load-image from the same version"
            )
        })
    }

    fn part(&mut self, line: &str) -> Option<()> {
        let value: Value = serde_json::from_str(line).ok()?;
        let number = |name: &str| value[name].as_u64();
        let latencies = |name: &str| Latencies::decoded(value[name].as_str()?);
        match value["load"].as_str() {
            Some("started") => {
                self.started = Some(value["second"].as_i64()?);
                self.version = value["version"].as_str().map(str::to_owned);
            }
            Some("ended") => {
                self.tally.scheduling = latencies("scheduling")?;
                self.tally.queued = number("queued")?;
                self.tally.last_success = value["last_success"].as_i64();
                self.ended = true;
            }
            _ => match value["outcome"].as_str() {
                Some(outcome) => {
                    let counted = |pair: &Value| Some((pair[0].as_i64()?, pair[1].as_u64()?));
                    let kind = Kind {
                        ended: value["ended"].as_array()?.iter().map(counted).collect::<Option<_>>()?,
                        first: value["first"].as_i64()?,
                        last: value["last"].as_i64()?,
                        error: value["error"].as_str()?.to_owned(),
                    };
                    self.tally.failures.insert(Outcome::of_name(outcome)?, kind);
                }
                None => {
                    let failed = |(name, count): (&String, &Value)| Some((Outcome::of_name(name)?, count.as_u64()?));
                    let long = |(name, counts): (&String, &Value)| {
                        let kind = Long::ALL.into_iter().find(|kind| kind.name() == name)?;
                        Some((kind, (counts[0].as_u64()?, counts[1].as_u64()?)))
                    };
                    let event = |index: usize| value["connections"][index].as_u64();
                    let part = Part {
                        succeeded: number("succeeded")?,
                        elsewhere: number("elsewhere")?,
                        long: value["long"].as_object()?.iter().map(long).collect::<Option<_>>()?,
                        failures: value["failures"].as_object()?.iter().map(failed).collect::<Option<_>>()?,
                        latency: latencies("latency")?,
                        connections: Connections {
                            opened: event(0)?,
                            asked: event(1)?,
                            closed_idle: event(2)?,
                            cut: event(3)?,
                        },
                    };
                    self.tally.seconds.insert(value["second"].as_i64()?, part);
                }
            },
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        Subject, Summary,
        log::{ConnectionEvent, Log},
        summary::{Origin, tests::record},
    };

    fn summary(tally: Tally) -> Summary {
        let subject = Subject {
            command: String::new(),
            url: String::new(),
            modes: String::new(),
            keep_alive: false,
            rate: 1,
            connections: 1,
            load_pods: 2,
            propagation: 0,
            termination_grace_period: 0,
        };
        Summary::new(subject, Origin { at: 0, name: "the restart".to_owned() }, tally, vec![])
    }

    fn read(text: &str) -> LoadLog {
        let mut log = LoadLog::default();
        text.lines().for_each(|line| log.read(line));
        log
    }

    /// A load that starts 250 ms after its origin.
    fn log(records: &[(u64, Outcome)]) -> Log {
        let mut records: Vec<_> = records.iter().map(|(due, outcome)| record(due * 1000, *outcome)).collect();
        records[0].long = Some(Long::WebSocket);
        let mut log = Log { records, ..Log::default() };
        log.connections = vec![(0, ConnectionEvent::Opened), (2_000_000, ConnectionEvent::Cut)];
        log.add_error(Outcome::Status(503), 2, "status 503".to_owned());
        log
    }

    #[test]
    fn the_logs_of_load_pods_are_merged_on_one_clock() {
        let one = log(&[(0, Outcome::Success), (1900, Outcome::Status(503)), (2000, Outcome::Unsent)]);
        let two = log(&[(0, Outcome::Success), (300, Outcome::Status(503)), (3000, Outcome::Success)]);
        // The first one started at 100.25 s of the wall clock, the second one at 101.25 s; the restart is at 102 s.
        let mut merged = Tally::default();
        for (second, log) in [(100, one), (101, two)] {
            let read = read(&(started(second) + &lines(&Tally::of(&log, -250_000))));
            assert!(read.ended && read.started == Some(second) && read.other().is_none());
            merged.merge(read.tally.shift(second - 102));
        }
        let summary = summary(merged);
        let seconds: Vec<_> = summary.seconds.iter().map(|second| (second.start, second.succeeded)).collect();
        assert_eq!(seconds, [(-2, 1), (-1, 1), (0, 0), (1, 0), (2, 1)]);
        assert_eq!((summary.sent, summary.failed(), summary.latency_after.p50), (5, 3, 1000));
        let failed = &summary.failures[0];
        assert_eq!((failed.count, failed.before_signal, failed.error.as_str()), (2, 1, "status 503"));
        assert_eq!((failed.first, failed.last), (-449_000, 151_000));
        assert_eq!((summary.connections.opened, summary.connections.cut), (2, 2));
        assert_eq!(summary.last_success, Some(2_251_000));
        assert_eq!(summary.long, BTreeMap::from([(Long::WebSocket, (2, 0))]));
    }

    #[test]
    fn a_log_that_is_cut_off_or_has_an_error_is_recognized() {
        let text = lines(&Tally::of(&log(&[(0, Outcome::Success)]), 0));
        let cut = read(&text[..text.len() - 20]);
        assert!(!cut.ended && cut.other().is_some());
        let failed = read("error: cannot resolve web:80: no address\n\n");
        assert_eq!(failed.other(), Some("error: cannot resolve web:80: no address"));
        assert!(read("{\"second\":0}").other().is_some());
    }

    #[test]
    fn a_load_of_another_version_and_lines_that_cannot_be_read_are_named() {
        assert_eq!(read(&started(1)).mismatch(), None);
        let of = |line: &str| read(line).mismatch().unwrap();
        assert!(
            of(r#"{"load":"started","second":1,"version":"9.9.9"}"#).contains("has cargo-graceful 9.9.9, and this")
        );
        assert!(of(r#"{"load":"started","second":1}"#).contains("cargo-graceful an older version"));
        let noise = r#"{"second":0,"succeeded":1,"failures":{"a new kind":1}}"#;
        let mut merged = Tally::default();
        for _ in 0..2 {
            let text = format!("{noise}\nthread panicked\n{}", lines(&Tally::of(&log(&[(0, Outcome::Success)]), 0)));
            merged.merge(read(&text).tally);
        }
        merged.merge(Tally::default());
        let summary = summary(merged);
        assert_eq!(summary.unread, (4, "thread panicked".to_owned()));
        let verdict = crate::report::Verdict::of(&summary);
        let is_named = |reason: &crate::report::reason::Reason| reason.text.contains("4 lines of the load pods");
        assert!(verdict.reasons.iter().any(|reason| reason.fails && is_named(reason)), "{verdict:?}");
    }
}
