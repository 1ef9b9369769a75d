//! What a shutdown promises, one function each. Each returns what does not hold.

use crate::{
    cell::Cell,
    clients::{Outcome, Request},
    expected,
    fault::Fault,
    moment::Moment,
    observed::{Observed, STDERR_SUMMARY, SUMMARY},
    prober::Poll,
};
use graceful_tests::Signal;
use std::{os::unix::process::ExitStatusExt, time::Duration};

/// The hooks of the app, with their orders.
const HOOKS: [(&str, i32); 4] = [("first", 1), ("faulty", 2), ("faulty_sync", 2), ("last", 3)];

/// How long a probe may take before Kubernetes restarts a container: three failures, each after a timeout of a second.
const PROBE_LIMIT: Duration = Duration::from_secs(3);

/// How long before the exit a probe may fail: a server that has closed its listener refuses at once.
const LAST: Duration = Duration::from_millis(500);

/// How long after the signal a probe may still find the process ready: milliseconds on an idle machine.
const UNREADY: Duration = Duration::from_secs(1);

/// How long after a client sees its connection the kernel has certainly put it into the accept queue.
const AT_ONCE: Duration = Duration::from_millis(20);

/// Everything that does not hold.
pub(crate) fn violations(cell: &Cell, observed: &Observed) -> Vec<String> {
    let checks: [fn(&Cell, &Observed) -> Vec<String>; 11] = [
        is_gone_in_time,
        reports,
        exits_as_documented,
        ends_or_names_hooks,
        runs_hooks_once_and_in_order,
        answers_or_names_requests,
        answers_connections_of_the_accept_queue,
        fails_no_request_before_the_drain,
        is_live_to_the_end,
        is_never_ready_again,
        leaves_nothing,
    ];
    let checks = if is_out_of_memory(cell, observed) { &[is_gone_in_time, leaves_nothing][..] } else { &checks[..] };
    checks.iter().flat_map(|check| check(cell, observed)).collect()
}

/// Whether the process was aborted for lack of memory, as any Rust program is: nothing more is promised then.
fn is_out_of_memory(cell: &Cell, observed: &Observed) -> bool {
    let texts = ["memory allocation of ", "Cannot allocate memory"];
    let says_so = observed.stderr.as_deref().is_none_or(|text| texts.iter().any(|part| text.contains(part)));
    cell.has_any(&[Fault::MemoryPressure, Fault::HookAllocates])
        && observed.status.signal() == Some(Signal::ABORT.as_raw())
        && says_so
}

/// The process is gone before the termination grace period, after which Kubernetes sends SIGKILL.
fn is_gone_in_time(cell: &Cell, observed: &Observed) -> Vec<String> {
    let late = observed.took() >= cell.times.period;
    late.then(|| format!("gone after {:?}, SIGKILL comes after {:?}", observed.took(), cell.times.period))
        .into_iter()
        .collect()
}

/// The summary is written to each output that can be read, and agrees with the exit code.
fn reports(cell: &Cell, observed: &Observed) -> Vec<String> {
    let mut wrong = Vec::new();
    if observed.stderr.as_ref().is_some_and(|text| !text.contains(STDERR_SUMMARY)) {
        wrong.push("no summary is written to stderr".to_owned());
    }
    let lacks_summary = observed.termination_log.as_ref().is_some_and(|text| !text.starts_with(SUMMARY));
    if lacks_summary && !has_no_file_for_the_log(cell, observed) {
        wrong.push("no summary is written to the termination log".to_owned());
    }
    let Some(summary) = observed.summary() else { return wrong };
    let headline = summary.lines().next().unwrap_or_default();
    if let Some(code) = observed.status.code() {
        if !headline.ends_with(&format!("exit code {code}")) {
            wrong.push(format!("the exit code is {code}, but the summary says `{headline}`"));
        }
        if (code == 0) != headline.contains("everything finished in time") {
            wrong.push(format!("the exit code {code} and the result do not agree: `{headline}`"));
        }
    }
    if let (Some(_), Some(stderr)) = (&observed.termination_log, &observed.stderr) {
        for line in problems(summary) {
            // A long line is shortened.
            let line: String = line.chars().take(100).collect();
            if !stderr.contains(line.trim()) {
                wrong.push(format!("the termination log has a line that stderr lacks: `{line}`"));
            }
        }
    }
    wrong
}

/// Whether no descriptor is free for the termination log, which stderr says if it can be read.
fn has_no_file_for_the_log(cell: &Cell, observed: &Observed) -> bool {
    let says_so = |text: &str| text.contains("cannot write the termination log");
    cell.has(Fault::FilesExhausted) && observed.stderr.as_deref().is_none_or(says_so)
}

/// The lines of a summary that name what was lost. They are indented; on stderr, other lines may follow.
fn problems(summary: &str) -> impl Iterator<Item = &str> {
    let has_problems = summary.lines().next().is_some_and(|headline| !headline.contains("everything finished in time"));
    summary.lines().skip(1).take_while(move |line| has_problems && line.starts_with("  "))
}

/// The exit code is the documented one.
fn exits_as_documented(cell: &Cell, observed: &Observed) -> Vec<String> {
    let expected = expected::exit_codes(cell, observed);
    let fits = observed.status.code().is_some_and(|code| expected.contains(&code));
    (!fits).then(|| format!("{}, but expected is one of {expected:?}", observed.status)).into_iter().collect()
}

/// Every hook has ended, or the summary names why not.
fn ends_or_names_hooks(_: &Cell, observed: &Observed) -> Vec<String> {
    let not_ended = HOOKS.into_iter().filter(|(name, _)| !observed.was_told(&format!("hook {name} ended")));
    let Some(summary) = observed.summary() else {
        let (lost, code) = (not_ended.count(), observed.status.code());
        return (lost > 0 && code == Some(0))
            .then(|| format!("{lost} hooks did not end, and the exit code is 0"))
            .into_iter()
            .collect();
    };
    let is_named = |name: &str, order: i32| {
        let mut lines = problems(summary).filter(|line| line.contains(&format!("hook {order} {name} (")));
        lines.any(|line| ["FAILED", "PANICKED", "TIMED OUT", "SKIPPED"].iter().any(|word| line.contains(word)))
    };
    let lost = not_ended.filter(|(name, order)| !is_named(name, *order));
    lost.map(|(name, _)| format!("hook {name} did not end, and the summary does not say why")).collect()
}

/// No hook begins twice, and none begins before one of a lower order.
fn runs_hooks_once_and_in_order(_: &Cell, observed: &Observed) -> Vec<String> {
    let begun: Vec<_> =
        observed.events.iter().filter_map(|event| event.strip_prefix("hook ")?.strip_suffix(" begins")).collect();
    let order = |hook: &str| HOOKS.iter().find(|(name, _)| *name == hook).map_or(0, |(_, order)| *order);
    let twice = HOOKS.iter().any(|(name, _)| begun.iter().filter(|hook| *hook == name).count() > 1);
    (twice || !begun.is_sorted_by_key(|hook| order(hook)))
        .then(|| format!("hooks began as {begun:?}"))
        .into_iter()
        .collect()
}

/// Every request whose handler has begun is answered, or its connection is named as cut.
fn answers_or_names_requests(_: &Cell, observed: &Observed) -> Vec<String> {
    let is_accepted = |request: &&Request| observed.was_told(&format!("in {}.", request.number));
    let unanswered = |request: &&Request| !matches!(request.outcome, Outcome::Answered(_));
    let mut lost: Vec<_> = observed.requests.iter().filter(is_accepted).filter(unanswered).collect();
    if observed.stderr.as_deref().is_none_or(|text| text.contains("the handler panics")) {
        lost.retain(|request| request.path != "/faulty");
    }
    let Some(summary) = observed.summary() else {
        let silent = !lost.is_empty() && observed.status.code() == Some(0);
        return silent.then(|| format!("the exit code is 0, but without a response: {lost:?}")).into_iter().collect();
    };
    let cut: usize = problems(summary).filter_map(connections_cut).sum();
    let named =
        summary.lines().next().is_some_and(|headline| headline.contains("ended at once by")) || lost.len() <= cut;
    (!named)
        .then(|| format!("{cut} connections are named as cut, but without a response: {lost:?}"))
        .into_iter()
        .collect()
}

/// The number of connections that a line of the summary's problems names as cut.
fn connections_cut(line: &str) -> Option<usize> {
    let rest = line.split_once("CUT: connections on ")?.1;
    let name = rest.split(", still").next()?;
    Some(name.split_once('(').and_then(|(_, count)| count.strip_suffix(')')?.parse().ok()).unwrap_or(1))
}

/// A connection that is there before the drain is answered, also if it waits in the accept queue as the drain begins.
fn answers_connections_of_the_accept_queue(cell: &Cell, observed: &Observed) -> Vec<String> {
    if observed.status.code() != Some(0) {
        return Vec::new(); // the connections that are named as cut may be these
    }
    let drain = observed.signalled + cell.times.grace;
    let lost: Vec<_> = observed.resets_at_close().filter(|request| request.connected + AT_ONCE < drain).collect();
    (!lost.is_empty()).then(|| format!("connections in the accept queue were reset: {lost:?}")).into_iter().collect()
}

/// No request fails before the drain begins, and every response is a success.
fn fails_no_request_before_the_drain(cell: &Cell, observed: &Observed) -> Vec<String> {
    let main_ends = cell.has_any(&[Fault::MainPanics, Fault::MainFails]);
    if main_ends && cell.moment == Moment::Serving {
        return Vec::new(); // the drain begins before the signal
    }
    let skips_grace = main_ends || cell.has_any(&[Fault::SecondInt, Fault::ThirdInt]);
    let grace = if skips_grace { Duration::ZERO } else { cell.times.grace };
    let drain = observed.signalled + grace;
    let has_failed = |request: &&Request| match request.outcome {
        Outcome::Answered(status) => status != 200,
        Outcome::Refused(_) | Outcome::Failed(_) => {
            request.ended < drain && !(request.path == "/faulty" && cell.has(Fault::HandlerPanics))
        }
    };
    let failed: Vec<_> = observed.requests.iter().filter(has_failed).collect();
    (!failed.is_empty())
        .then(|| format!("{} requests failed before the drain: {failed:?}", failed.len()))
        .into_iter()
        .collect()
}

/// `/livez` is 200 until the process ends: no other status, no failure that is followed by a response or that comes
/// earlier than [`LAST`] before the exit, and a response to each probe before Kubernetes would restart the container.
fn is_live_to_the_end(cell: &Cell, observed: &Observed) -> Vec<String> {
    let polls: Vec<_> = observed.polls.iter().filter(|poll| poll.path == "/livez").collect();
    let Some(last_response) = polls.iter().rposition(|poll| poll.status.is_ok()) else {
        return vec!["no probe of /livez got a response".into()];
    };
    let what_is_wrong = |at: usize, poll: &Poll| match poll.status {
        Ok(200) if probes_may_wait(cell) || poll.ended - poll.begun < PROBE_LIMIT => None,
        Ok(200) => Some(format!("took {:?}", poll.ended - poll.begun)),
        Ok(status) => Some(format!("was {status}")),
        Err(kind) if at < last_response => Some(format!("failed ({kind:?}) and responded later")),
        Err(_) if probes_may_wait(cell) => None,
        Err(kind) if poll.ended + LAST < observed.closed => {
            Some(format!("failed ({kind:?}) {:?} before the exit", observed.closed - poll.ended))
        }
        Err(kind) if poll.begun + PROBE_LIMIT < observed.closed => Some(format!("waited to the exit ({kind:?})")),
        Err(_) => None,
    };
    let wrong = polls.iter().enumerate().filter_map(|(at, poll)| Some((poll, what_is_wrong(at, poll)?)));
    let texts: Vec<_> = wrong
        .map(|(poll, what)| format!("/livez {what}, {:?} after the signal", since_the_signal(observed, poll)))
        .collect();
    texts.first().map(|first| format!("{} probes: {first}", texts.len())).into_iter().collect()
}

/// `/readyz` is 503 within [`UNREADY`] after the first signal, which a probe sees if the process lives longer.
/// It is never 200 behind the first 503 of the shutdown, and never at all if the signal came first.
fn is_never_ready_again(cell: &Cell, observed: &Observed) -> Vec<String> {
    let polls = || observed.polls.iter().filter(|poll| poll.path == "/readyz");
    let unready = polls().find(|poll| poll.status == Ok(503) && poll.begun >= observed.signalled);
    let is_wrong = |poll: &&Poll| {
        let is_late = poll.begun > observed.signalled + UNREADY && !is_slow(cell);
        let is_again = unready.is_some_and(|unready| poll.begun >= unready.ended);
        poll.status == Ok(200) && (cell.moment == Moment::StartUp || is_late || is_again)
    };
    let text = |poll: &Poll| format!("/readyz was 200 {:?} after the signal", since_the_signal(observed, poll));
    let wrong = polls().find(is_wrong).map(text);
    let is_unseen = unready.is_none() && observed.closed > observed.signalled + UNREADY && !probes_may_wait(cell);
    wrong.into_iter().chain(is_unseen.then(|| "/readyz was never 503 after the signal".to_owned())).collect()
}

/// The time from the first signal to the beginning of a probe.
fn since_the_signal(observed: &Observed, poll: &Poll) -> Duration {
    poll.begun.saturating_duration_since(observed.signalled)
}

/// Whether probes wait: for the process, or for a file descriptor.
fn probes_may_wait(cell: &Cell) -> bool {
    is_slow(cell) || cell.has(Fault::FilesExhausted)
}

/// Whether the process does not run all the time, so that probes wait.
fn is_slow(cell: &Cell) -> bool {
    cell.has_any(&[Fault::Stopped, Fault::TenPercent])
}

/// No child, no zombie and no other process of the app is left.
fn leaves_nothing(_: &Cell, observed: &Observed) -> Vec<String> {
    let left = (!observed.left.is_empty()).then(|| format!("processes are left: {}", observed.left.join(", ")));
    let zombies = (!observed.zombies.is_empty()).then(|| format!("not reaped: {}", observed.zombies.join(", ")));
    left.into_iter().chain(zombies).collect()
}
