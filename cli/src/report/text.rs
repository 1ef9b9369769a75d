//! A rehearsal as text.

use super::{
    latencies::Percentiles,
    log::{Exit, Observed, Shutdown},
    reason::{relative, time},
    summary::Summary,
    verdict::Verdict,
};
use crate::style::{BAD, GOOD, WARNING, paint};
use std::fmt::Write;

/// The length of the longest bar in characters.
const BAR: u64 = 24;

/// The report for a terminal.
pub(crate) fn text(summary: &Summary, verdict: &Verdict) -> String {
    let mut out = String::new();
    for (name, value) in facts(summary) {
        let _ = writeln!(out, "  {name:<18} {value}");
    }
    out += "\n  second      ok  failed  elsewhere      p50      p99\n";
    let most = summary.seconds.iter().map(|second| second.succeeded).max().unwrap_or_default().max(1);
    for second in &summary.seconds {
        let latency = |value: u64| if second.latency.max == 0 { "-".to_owned() } else { time(value as i64) };
        let (p50, p99, failed) = (latency(second.latency.p50), latency(second.latency.p99), second.failed());
        let bar = "#".repeat((second.succeeded * BAR / most) as usize) + if failed > 0 { "x" } else { "" };
        let line = format!(
            "  {:>+6}  {:>6}  {failed:>6}  {:>9}  {p50:>7}  {p99:>7}  {bar}",
            second.start, second.succeeded, second.elsewhere
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let _ = writeln!(out, "\n{}", paint(if verdict.passed() { GOOD } else { BAD }, verdict.word()));
    for reason in &verdict.reasons {
        let kind = if reason.fails { paint(BAD, "fail") } else { paint(WARNING, "note") };
        let _ = writeln!(out, "  {kind}: {}", reason.text);
        if !reason.advice.is_empty() {
            let _ = writeln!(out, "        {}", reason.advice);
        }
    }
    out
}

/// The main numbers with their names.
pub(crate) fn facts(summary: &Summary) -> Vec<(&'static str, String)> {
    let (subject, signal) = (&summary.subject, &summary.origin.name);
    let optional = |value: Option<i64>| value.map_or_else(|| "-".to_owned(), time);
    let percentiles = |Percentiles { p50, p90, p99, max }: Percentiles| {
        if max == 0 {
            return "-".to_owned();
        }
        let [p50, p90, p99, max] = [p50, p90, p99, max].map(|value| time(value as i64));
        format!("p50 {p50}, p90 {p90}, p99 {p99}, max {max}")
    };
    let connections = summary.connections;
    let mut facts = vec![
        ("program", subject.command.clone()),
        (
            "load",
            format!(
                "{}{} to {}{}",
                match subject.rate {
                    0 => "no requests but those of long clients".to_owned(),
                    rate => format!("{rate} requests/s"),
                },
                match subject.load_pods {
                    0 => String::new(),
                    pods => format!(" from {pods} load pods"),
                },
                subject.url,
                match subject.rate {
                    0 => String::new(),
                    _ => format!(", {} connections, {}", subject.connections, subject.modes),
                }
            ),
        ),
        (
            "requests",
            format!(
                "{} sent, {} succeeded, {} failed{}",
                summary.sent,
                summary.succeeded,
                summary.failed(),
                match summary.single() {
                    Some(_) =>
                        format!("; {} routed elsewhere after {}", summary.elsewhere, time(subject.propagation as i64)),
                    None => String::new(),
                }
            ),
        ),
    ];
    for (kind, (succeeded, failed)) in &summary.long {
        facts.push((kind.name(), format!("{succeeded} ended completely, {failed} failed")));
    }
    if let Some(first) = summary.failures.first() {
        facts.push(("first failure", {
            let (name, when) = (first.outcome.name(), relative(first.first, signal));
            let error = if first.error == name || first.error.is_empty() {
                String::new()
            } else {
                format!(": {}", first.error)
            };
            format!("{name}, {when}{error}")
        }));
    }
    facts.extend([
        ("connections", {
            format!(
                "{} opened; after {}: {} asked to reconnect, {} closed idle, {} cut",
                connections.opened, signal, connections.asked, connections.closed_idle, connections.cut
            )
        }),
        ("latency before", percentiles(summary.latency_before)),
        ("latency after", percentiles(summary.latency_after)),
        ("scheduling error", percentiles(summary.scheduling)),
        ("queued", {
            let (queued, plural) = (summary.queued, if summary.queued == 1 { "" } else { "s" });
            format!("{queued} request{plural} waited for a free connection")
        }),
    ]);
    if summary.single().is_some() {
        facts.push(("signal to last", format!("{} (last successful request)", optional(summary.last_success))));
    }
    for shutdown in &summary.shutdowns {
        facts.extend(facts_of(shutdown, summary));
    }
    for incident in &summary.incidents {
        facts.push(("incident", format!("{} {}", incident.name, incident.what)));
    }
    facts
}

/// The numbers of one shutdown.
fn facts_of(shutdown: &Shutdown, summary: &Summary) -> Vec<(&'static str, String)> {
    let Shutdown { name, signal, sent, .. } = shutdown;
    let sent = time(summary.relative(*sent));
    let unready = match (&shutdown.unready, shutdown.unready_after()) {
        (Some((_, how)), Some(after)) => format!("{} ({how})", time(after as i64)),
        _ => match shutdown.observed {
            Observed::Process { watched: true, .. } => "never".to_owned(),
            Observed::Process { .. } => "not watched (--ready)".to_owned(),
            Observed::Container { .. } => "not seen".to_owned(),
        },
    };
    let ended = format!("{}, {}", time(shutdown.exit_after() as i64), exit(shutdown));
    match &shutdown.observed {
        Observed::Process { children_left, .. } => {
            let children = if *children_left { "yes, killed" } else { "none" };
            match summary.single() {
                Some(_) => {
                    vec![
                        ("signal to unready", unready),
                        ("signal to exit", ended),
                        ("children left", children.to_owned()),
                    ]
                }
                None => vec![(
                    "restart",
                    format!("{name}, {signal} at {sent}: unready {unready}, exit {ended}, children left {children}"),
                )],
            }
        }
        Observed::Container { message, .. } => {
            let mut facts = vec![("pod", format!("{name}, {signal} at {sent}: unready {unready}, exit {ended}"))];
            if let Some(line) = message.lines().map(str::trim).find(|line| !line.is_empty()) {
                facts.push(("", line.chars().filter(|c| !c.is_control()).take(200).collect()));
            }
            facts
        }
    }
}

/// How the process ended.
pub(crate) fn exit(shutdown: &Shutdown) -> String {
    let text = match shutdown.exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(number) => format!("ended by signal {number}"),
        Exit::Killed => "SIGKILL needed".to_owned(),
        Exit::OutOfMemory => "out of memory".to_owned(),
        Exit::Unseen => "exit code not seen".to_owned(),
    };
    match &shutdown.observed {
        Observed::Container { reason, .. } if !reason.is_empty() => format!("{text} ({reason})"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        outcome::Outcome,
        summary::tests::{record, summary},
    };

    #[test]
    fn the_text_has_the_verdict_and_its_advice() {
        let records = [record(0, Outcome::Success), record(2_003_000, Outcome::Refused)];
        let summary = summary(&records, |_| {});
        let text = anstream::adapter::strip_str(&text(&summary, &Verdict::of(&summary))).to_string();
        for part in [
            "\nfailed\n  fail: 1 request refused",
            "connection refused, 4 ms after SIGTERM: first",
            "      -2       1       0",
        ] {
            assert!(text.contains(part), "`{part}` in\n{text}");
        }
        assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
    }
}
