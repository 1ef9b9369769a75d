//! What the verdict says of each outcome and each exit.

use super::*;
use crate::report::{
    log::Incident,
    summary::tests::{record, summary},
};

#[test]
fn the_verdict_names_what_failed_and_what_to_change() {
    type Change = fn(&mut Shutdown);
    const CHILDREN_LEFT: Observed = Observed::Process { watched: true, children_left: true, printed: 0 };
    const NONE: Change = |_| {};
    let after = |outcome| vec![record(0, Outcome::Success), record(2_003_000, outcome)];
    let good = || after(Outcome::Success);
    let cases: [(Vec<_>, Change, bool, &str, &str); 36] = [
        (good(), NONE, true, "", ""),
        (after(Outcome::Elsewhere), NONE, true, "", ""),
        (
            after(Outcome::Refused),
            NONE,
            false,
            "1 request refused: the listener closed within 4 ms after SIGTERM",
            "at least 2 s",
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
        (after(Outcome::Unsent), NONE, false, "1 request not sent, the first due 4 ms", "--connections"),
        (after(Outcome::WebSocketClosed(1011)), NONE, false, "1 WebSocket ended with an error", "1012"),
        (after(Outcome::Protocol), NONE, false, "1 request failed, the first 4 ms after SIGTERM: another protocol", ""),
        (
            vec![record(0, Outcome::Success), record(9, Outcome::Refused)],
            NONE,
            false,
            "1 of them before the signal",
            "lower --rate",
        ),
        (vec![], NONE, false, "no request succeeded", "--url"),
        (good(), |s| s.exit = Exit::Code(3), false, "exit code 3 after 6 s", "`graceful`"),
        (
            good(),
            |s| (s.exit, s.exited) = (Exit::Signal(15), 2_008_000),
            false,
            "ended by signal 15 after 8 ms: it does not handle SIGTERM",
            "handle the signal",
        ),
        (good(), |s| s.exit = Exit::Signal(15), false, "ended itself by signal 15 after 6 s", "exit with 0"),
        (good(), |s| s.exit = Exit::Signal(11), false, "signal 11 after 6 s, not by SIGTERM: it crashed", "log"),
        (
            good(),
            |s| (s.exit, s.observed) = (Exit::Signal(15), CHILDREN_LEFT),
            false,
            "did not forward it to its child processes",
            "use `exec`",
        ),
        (after(Outcome::ResetBeforeResponse), |s| s.exited = 2_005_000, false, "reset before", "before the exit"),
        (
            after(Outcome::ResetInResponse),
            |s| (s.exit, s.exited) = (Exit::Killed, 2_005_000),
            false,
            "reset in the middle",
            "SIGKILL cut them",
        ),
        (
            after(Outcome::ResetBeforeResponse),
            |s| (s.observed, s.exited) = (CHILDREN_LEFT, 2_001_000),
            false,
            "reset before",
            "rehearsal killed it",
        ),
        (good(), |s| s.exit = Exit::Killed, false, "still running 30 s after SIGTERM", "exec"),
        (good(), |s| s.observed = CHILDREN_LEFT, false, "child processes", "exec"),
        (good(), |s| s.exit = Exit::Signal(9), false, "ended by SIGKILL after 6 s, before", "who kills it"),
        (good(), |s| s.exit = Exit::OutOfMemory, false, "out of memory", "memory limit"),
        (good(), |s| s.exit = Exit::Unseen, true, "was not seen", "rehearse again"),
        (
            good(),
            |s| (s.exit, s.exited) = (Exit::Unseen, 33_000_000),
            false,
            "was not seen: it was gone after 31 s",
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
    assert!(outage.fails && outage.text == "no pod was ready for 500 ms, from 500 ms after SIGTERM on", "{outage:?}");

    let mut summary = summary(&[record(0, Outcome::Success)], |_| {});
    summary.outages.push((2_500_000, 3_000_000));
    let verdict = Verdict::of(&summary);
    assert!(verdict.passed() && verdict.reasons[0].text.contains("no pod was ready"), "{verdict:?}");
    summary.outages.clear();
    let what = "restarted: exit code 1 (Error)".to_owned();
    summary.incidents.push(Incident { name: "web-1".to_owned(), at: 0, what });
    let verdict = Verdict::of(&summary);
    assert!(!verdict.passed() && verdict.reasons[0].text.starts_with("web-1 restarted: exit code 1"), "{verdict:?}");
}

#[test]
fn a_program_that_closed_its_listener_handled_the_signal() {
    let killed = |outcome| {
        let records = [record(0, Outcome::Success), record(2_003_000, outcome)];
        let verdict = Verdict::of(&summary(&records, |s| s.exit = Exit::Killed));
        let reason = verdict.reasons.into_iter().find(|reason| reason.text.contains("SIGKILL"));
        reason.unwrap().advice
    };
    assert!(killed(Outcome::Refused).starts_with("it closed its listener"));
    assert!(killed(Outcome::Success).starts_with("handle the signal"));
}
