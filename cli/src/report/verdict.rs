//! Whether a rehearsal passed, why, and what to change.

use super::{
    log::{Exit, Observed, Shutdown},
    reason::{Reason, of_failure, time},
    summary::Summary,
};

/// The result of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) reasons: Vec<Reason>,
}

/// A p99 of the scheduling error from which latencies say more about this machine than about the program.
const BUSY: u64 = 10_000;
/// Output of more bytes is worth a note.
const FLOOD: u64 = 100 << 20;

impl Verdict {
    pub(crate) fn of(summary: &Summary) -> Self {
        let mut reasons: Vec<_> = outages(summary);
        reasons.extend(summary.failures.iter().map(|failed| of_failure(failed, summary)));
        for shutdown in &summary.shutdowns {
            reasons.extend(of_exit(shutdown, summary));
            if matches!(shutdown.observed, Observed::Process { children_left: true, .. }) {
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
        Exit::Signal(number) => Some(Reason::fail(
            format!("{name} was ended by signal {number} after {after}: it does not handle {signal}"),
            "handle the signal: stop accepting, finish requests in flight, then exit with 0",
        )),
        Exit::Killed => Some(Reason::fail(
            format!(
                "{name} was still running {} after {signal}; SIGKILL was needed",
                time(summary.subject.termination_grace_period as i64)
            ),
            "handle the signal; bound the wait for connections and hooks; under a shell, use `exec`",
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

fn notes_of(shutdown: &Shutdown, summary: &Summary) -> Vec<Reason> {
    let (mut notes, subject) = (Vec::new(), &summary.subject);
    let (watched, printed) = match shutdown.observed {
        Observed::Process { watched, printed, .. } => (watched, printed),
        Observed::Container { .. } => (false, 0),
    };
    match &shutdown.unready {
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
    if shutdown.exit_after() < subject.propagation {
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
mod tests {
    use super::*;
    use crate::report::{
        log::Incident,
        outcome::Outcome,
        summary::tests::{record, summary},
    };

    #[test]
    fn the_verdict_names_what_failed_and_what_to_change() {
        type Change = fn(&mut Shutdown);
        const NONE: Change = |_| {};
        let after = |outcome| vec![record(0, Outcome::Success), record(2_003_000, outcome)];
        let good = || after(Outcome::Success);
        let cases: [(Vec<_>, Change, bool, &str, &str); 28] = [
            (good(), NONE, true, "", ""),
            (after(Outcome::Elsewhere), NONE, true, "", ""),
            (
                after(Outcome::Refused),
                NONE,
                false,
                "1 request refused: the listener closed within 4 ms after SIGTERM",
                "at least 2.0 s",
            ),
            (after(Outcome::ResetBeforeResponse), NONE, false, "reset before the response, the first 4 ms", "GOAWAY"),
            (after(Outcome::ResetInResponse), NONE, false, "in the middle of the response", "in flight"),
            (after(Outcome::Timeout), NONE, false, "without a complete response", "keep serving"),
            (after(Outcome::Status(503)), NONE, false, "status 503", "only the readiness URL"),
            (after(Outcome::Certificate), NONE, false, "1 request failed: certificate not accepted", ""),
            (after(Outcome::TlsHandshake), NONE, false, "1 request failed in the TLS handshake", "complete it"),
            (after(Outcome::GrpcStatus(14)), NONE, false, "1 request got grpc-status 14 UNAVAILABLE", "GOAWAY"),
            (after(Outcome::WebSocketCut), NONE, false, "1 WebSocket ended without a Close frame", "1001"),
            (after(Outcome::WebSocketRefused(503)), NONE, false, "1 WebSocket got status 503 instead", "accept"),
            (after(Outcome::UploadCut), NONE, false, "1 request of --upload cut", "on their way"),
            (after(Outcome::StreamCut), NONE, false, "1 request of --stream cut", "end each stream"),
            (after(Outcome::Unsent), NONE, false, "all connections busy", ""),
            (
                vec![record(0, Outcome::Success), record(9, Outcome::Refused)],
                NONE,
                false,
                "1 of them before the signal",
                "lower --rate",
            ),
            (vec![], NONE, false, "no request succeeded", "--url"),
            (good(), |s| s.exit = Exit::Code(3), false, "exit code 3 after 6.0 s", "`graceful`"),
            (good(), |s| s.exit = Exit::Signal(15), false, "ended by signal 15", "handle the signal"),
            (good(), |s| s.exit = Exit::Killed, false, "still running 30.0 s after SIGTERM", "exec"),
            (
                good(),
                |s| s.observed = Observed::Process { watched: true, children_left: true, printed: 0 },
                false,
                "child processes",
                "exec",
            ),
            (good(), |s| s.exit = Exit::Signal(9), false, "ended by SIGKILL after 6.0 s, before", "who kills it"),
            (good(), |s| s.exit = Exit::OutOfMemory, false, "out of memory", "memory limit"),
            (good(), |s| s.exit = Exit::Unseen, true, "was not seen", "rehearse again"),
            (
                good(),
                |s| (s.exit, s.exited) = (Exit::Unseen, 33_000_000),
                false,
                "was not seen: it was gone after 31.0 s",
                "rehearse again",
            ),
            (
                good(),
                |s| {
                    s.exit = Exit::Code(143);
                    s.observed = Observed::Container { reason: "Error".to_owned(), message: String::new() };
                },
                false,
                "exit code 143",
                "SIGTERM itself",
            ),
            (good(), |s| s.unready = None, true, "never turned unready", "503"),
            (good(), |s| s.exited = 2_500_000, true, "exited 500 ms after the signal", "serve for that long"),
        ];
        for (records, change, passed, text, advice) in cases {
            let verdict = Verdict::of(&summary(&records, change));
            assert_eq!(verdict.passed(), passed, "{verdict:?}");
            match verdict.reasons.first() {
                None => assert_eq!(text, ""),
                Some(reason) => assert!(
                    reason.text.contains(text) && reason.advice.contains(advice) && !text.is_empty(),
                    "`{text}` with `{advice}` in {reason:?}"
                ),
            }
        }
    }

    #[test]
    fn a_container_that_ends_by_itself_and_a_time_without_pods_are_reasons() {
        let mut failed = summary(&[record(0, Outcome::Success), record(2_003_000, Outcome::Refused)], |_| {});
        failed.outages.push((2_500_000, 3_000_000));
        let outage = &Verdict::of(&failed).reasons[0];
        assert!(
            outage.fails && outage.text == "no pod was ready for 500 ms, from 500 ms after SIGTERM on",
            "{outage:?}"
        );

        let mut summary = summary(&[record(0, Outcome::Success)], |_| {});
        summary.outages.push((2_500_000, 3_000_000));
        let verdict = Verdict::of(&summary);
        assert!(verdict.passed() && verdict.reasons[0].text.contains("no pod was ready"), "{verdict:?}");
        summary.outages.clear();
        let what = "restarted: exit code 1 (Error)".to_owned();
        summary.incidents.push(Incident { name: "web-1".to_owned(), at: 0, what });
        let verdict = Verdict::of(&summary);
        assert!(
            !verdict.passed() && verdict.reasons[0].text.starts_with("web-1 restarted: exit code 1"),
            "{verdict:?}"
        );
    }
}
