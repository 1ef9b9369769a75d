//! Whether a rehearsal passed, why, and what to change.

use super::{
    log::{Exit, Observed, Shutdown},
    outcome::Outcome,
    reason::{Reason, has_left_children, of_failure, time},
    summary::Summary,
};

/// The result of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) reasons: Vec<Reason>,
}

/// A p99 of the scheduling error from which latencies say more about this machine than about the program.
const BUSY: u64 = 10_000;
/// A program that lives longer after a signal handles it, even if it ends itself by the same signal.
const UNHANDLED: u64 = 100_000;
/// The signals that a rehearsal sends.
const NUMBERS: [(&str, i32); 4] = [("SIGHUP", 1), ("SIGINT", 2), ("SIGQUIT", 3), ("SIGTERM", 15)];
/// Output of more bytes is worth a note.
const FLOOD: u64 = 100 << 20;

impl Verdict {
    pub(crate) fn of(summary: &Summary) -> Self {
        let mut reasons: Vec<_> = outages(summary);
        reasons.extend(summary.failures.iter().map(|failed| of_failure(failed, summary)));
        for shutdown in &summary.shutdowns {
            reasons.extend(of_exit(shutdown, summary));
            if has_left_children(shutdown) {
                reasons.push(Reason::fail(
                    format!("child processes outlived {} and were killed", shutdown.name),
                    "forward the signal to children and wait for them; without that, a shell loses it: use `exec`",
                ));
            }
        }
        for incident in &summary.incidents {
            reasons.push(Reason::fail(
                format!("{} {}; nobody asked for it", incident.name, incident.what),
                "see its log (`kubectl logs --previous`), its liveness probe and its resources",
            ));
        }
        if let (number @ 1.., last) = &summary.unread {
            let plural = if *number == 1 { "" } else { "s" };
            reasons.push(Reason::fail(
                format!("{number} line{plural} of the load pods could not be read, so requests are missing; the last one is `{last}`"),
                "build --load-image from the version of this command, and see the logs of its pods",
            ));
        }
        if summary.succeeded == 0 && (summary.subject.rate > 0 || summary.failures.is_empty()) {
            reasons.push(Reason::fail("no request succeeded".to_owned(), "check --url and --rate"));
        }
        for shutdown in &summary.shutdowns {
            reasons.extend(notes_of(shutdown, summary));
        }
        reasons.extend(notes(summary));
        Self { reasons }
    }

    pub(crate) fn passed(&self) -> bool {
        !self.reasons.iter().any(|reason| reason.fails)
    }

    /// `passed` or `failed`.
    pub(crate) fn word(&self) -> &'static str {
        if self.passed() { "passed" } else { "failed" }
    }
}

/// Times without a ready pod. Alone, they fail nothing: pods in their shutdown may still serve.
fn outages(summary: &Summary) -> Vec<Reason> {
    let advice = "keep a pod ready: maxUnavailable 0 and a surge for restarts, a PodDisruptionBudget for drains, \
                  more replicas on more nodes";
    let reason = |(from, to): &(u64, u64)| Reason {
        fails: summary.failed() > 0,
        text: format!(
            "no pod was ready for {}, from {} after {} on",
            time((to - from) as i64),
            time(summary.relative(*from)),
            summary.origin.name
        ),
        advice: advice.to_owned(),
    };
    summary.outages.iter().map(reason).collect()
}

fn of_exit(shutdown: &Shutdown, summary: &Summary) -> Option<Reason> {
    let (name, signal) = (&shutdown.name, shutdown.signal);
    let after = time(shutdown.exit_after() as i64);
    match shutdown.exit {
        Exit::Code(0) => None,
        Exit::Code(code) => Some(Reason::fail(
            format!("{name} ended with exit code {code} after {after}"),
            match (code, &shutdown.observed) {
                (3, _) => "with `graceful`, 3 means that work was cut or a hook failed; its log says which",
                (143, Observed::Container { .. }) => {
                    "143 means that SIGTERM itself ended the program: handle the signal, and exit with 0"
                }
                _ => "exit with 0 after a complete shutdown",
            },
        )),
        Exit::Signal(9) => Some(Reason::fail(
            format!("{name} was ended by SIGKILL after {after}, before the end of its termination grace period"),
            "find out who kills it: a forced deletion, a liveness probe, or the kernel without memory",
        )),
        Exit::Signal(number) => Some(of_signal(number, shutdown)),
        Exit::Killed => Some(Reason::fail(
            format!(
                "{name} was still running {} after {signal}; SIGKILL was needed",
                time(summary.subject.termination_grace_period as i64)
            ),
            match summary.failures.iter().any(|failed| failed.outcome == Outcome::Refused) {
                true => {
                    "it closed its listener, and then something kept it running: ask clients to reconnect with \
                     `Connection: close`, and bound the wait for connections and hooks"
                }
                false => "handle the signal; bound the wait for connections and hooks; under a shell, use `exec`",
            },
        )),
        Exit::OutOfMemory => Some(Reason::fail(
            format!("{name} was killed by the kernel after {after}: out of memory"),
            "raise the memory limit of the container, or find what grows during the shutdown",
        )),
        Exit::Unseen => Some(Reason {
            // A pod that is gone before the end of its termination grace period was not killed for it.
            fails: shutdown.exit_after() >= summary.subject.termination_grace_period,
            text: format!("the end of {name} was not seen: it was gone after {after}, and its exit code is unknown"),
            advice:
                "rehearse again; an end is lost by --force, with a node, and sometimes by an old kubelet on a busy node"
                    .to_owned(),
        }),
    }
}

/// The reason of an end by a signal, which is the one of this rehearsal or another.
fn of_signal(number: i32, shutdown: &Shutdown) -> Reason {
    let (name, signal, after) = (&shutdown.name, shutdown.signal, time(shutdown.exit_after() as i64));
    let ended = format!("{name} was ended by signal {number} after {after}");
    if !NUMBERS.contains(&(signal, number)) {
        return Reason::fail(format!("{ended}, not by {signal}: it crashed"), "see its log");
    }
    if has_left_children(shutdown) {
        return Reason::fail(
            format!("{ended} and did not forward it to its child processes"),
            "under a shell, use `exec`; as PID 1 of a container, a shell without `exec` ignores the signal until SIGKILL",
        );
    }
    if shutdown.exit_after() > UNHANDLED {
        return Reason::fail(
            format!("{name} ended itself by signal {number} after {after}, which counts as an error"),
            "exit with 0 after a complete shutdown",
        );
    }
    Reason::fail(
        format!("{ended}: it does not handle {signal}"),
        "handle the signal: stop accepting, finish requests in flight, then exit with 0",
    )
}

fn notes_of(shutdown: &Shutdown, summary: &Summary) -> Vec<Reason> {
    let (mut notes, subject) = (Vec::new(), &summary.subject);
    let (watched, printed) = match shutdown.observed {
        Observed::Process { watched, printed, .. } => (watched, printed),
        Observed::Container { .. } => (false, 0),
    };
    match &shutdown.unready {
        // The process that serves has not seen the signal.
        _ if has_left_children(shutdown) => {}
        None if watched => notes.push(Reason::note(
            "the readiness URL never turned unready".to_owned(),
            "respond 503 from the signal on, so that load balancers with their own health checks stop sending",
        )),
        Some((_, how)) if watched && !how.starts_with(|c: char| c.is_ascii_digit()) => notes.push(Reason::note(
            format!("the readiness URL did not turn to 503; it ended with: {how}"),
            "keep responding to probes until the exit",
        )),
        _ => {}
    }
    if shutdown.exit_after() < subject.propagation && !has_left_children(shutdown) {
        notes.push(Reason::note(
            format!(
                "{} exited {} after the signal, within the propagation of {}",
                shutdown.name,
                time(shutdown.exit_after() as i64),
                time(subject.propagation as i64)
            ),
            "clients connect until load balancers have removed the program; serve for that long",
        ));
    }
    if printed > FLOOD {
        notes.push(Reason::note(
            format!("{} printed {} MB", shutdown.name, printed >> 20),
            "a pipe that nobody reads stops a program that prints this much",
        ));
    }
    notes
}

fn notes(summary: &Summary) -> Vec<Reason> {
    let mut notes = Vec::new();
    if summary.subject.keep_alive && summary.connections.asked == 0 && summary.failed() == 0 {
        notes.push(Reason::note(
            "no keep-alive connection was asked to reconnect before it closed".to_owned(),
            "send `Connection: close` after the signal: a request that meets a close is lost",
        ));
    }
    if summary.scheduling.p99 > BUSY {
        notes.push(Reason::note(
            format!("1 % of the requests were sent {} late or later", time(summary.scheduling.p99 as i64)),
            "the machine is too busy for this load: a lower --rate, or an idle machine",
        ));
    }
    if summary.queued * 100 > summary.sent {
        notes.push(Reason::note(
            format!("{} requests waited for a free connection; their latency includes the wait", summary.queued),
            "more --connections, or a lower --rate",
        ));
    }
    notes
}

#[cfg(test)]
mod tests;
