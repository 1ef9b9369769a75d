//! Why a rehearsal fails, and what to change: failed requests.

use super::{
    log::{Exit, Observed, Shutdown},
    outcome::Outcome,
    summary::{Failed, Summary},
};
use std::time::Duration;

/// A request that fails this close to the exit, or later, is cut by the exit.
const AT_EXIT: i64 = 20_000;

/// A reason of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// Whether the rehearsal fails for it. Otherwise it is a note.
    pub(crate) fails: bool,
    pub(crate) text: String,
    pub(crate) advice: String,
}

impl Reason {
    pub(super) fn fail(text: String, advice: &str) -> Self {
        Self { fails: true, text, advice: advice.to_owned() }
    }

    pub(super) fn note(text: String, advice: &str) -> Self {
        Self { fails: false, text, advice: advice.to_owned() }
    }
}

/// Microseconds for people: `4 ms`, `1.2 s`, and `30 s` if they are whole seconds.
pub(crate) fn time(micros: i64) -> String {
    let size = micros.unsigned_abs();
    let sign = if micros < 0 { "-" } else { "" };
    match size {
        0..950 => format!("{sign}{:.1} ms", size as f64 / 1e3),
        950..999_500 => format!("{sign}{:.0} ms", size as f64 / 1e3),
        _ if size.is_multiple_of(1_000_000) => format!("{sign}{} s", size / 1_000_000),
        _ => format!("{sign}{:.1} s", size as f64 / 1e6),
    }
}

/// The same for a duration.
pub(crate) fn span(duration: Duration) -> String {
    time(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

/// A time relative to the signal, which has this name: `4 ms after SIGTERM`, `1.5 s before SIGTERM`.
pub(super) fn relative(micros: i64, signal: &str) -> String {
    let side = if micros < 0 { "before" } else { "after" };
    format!("{} {side} {signal}", time(micros.saturating_abs()))
}

/// The reason of failed requests of one kind.
pub(super) fn of_failure(failed: &Failed, summary: &Summary) -> Reason {
    let (signal, count) = (&summary.origin.name, failed.count);
    let noun = if failed.outcome.is_of_websocket() { "WebSocket" } else { "request" };
    let requests = format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let name = failed.outcome.name();
    if failed.outcome == Outcome::Certificate {
        // The first is the first handshake of the load, in most cases before the signal.
        return Reason::fail(format!("{requests} failed: {name}"), &failed.error);
    }
    if failed.before_signal > 0 {
        let text = format!("{requests} failed, {} of them before the signal: {name}", failed.before_signal);
        return Reason::fail(
            text,
            match failed.outcome {
                Outcome::WebSocketRefused(..500) => "check the URL of --websocket",
                _ => "the program does not hold this load even without a shutdown; lower --rate, or fix it first",
            },
        );
    }
    let first = time(failed.first);
    let propagation = time(summary.subject.propagation as i64);
    let (text, advice) = match failed.outcome {
        Outcome::Refused => (
            match summary.single() {
                Some(_) => format!(
                    "{requests} refused: the listener closed within {first} after {signal} while clients still connected"
                ),
                None if !summary.outages.is_empty() => format!(
                    "{requests} refused, the first {first} after {signal}: no pod was ready, or a listener closed too early"
                ),
                None => format!(
                    "{requests} refused, the first {first} after {signal}: a listener closed while clients still connected"
                ),
            },
            format!("keep accepting for at least {propagation} after the signal, then close the listener"),
        ),
        Outcome::NotConnected if summary.in_cluster() => (
            format!("{requests} not connected, the first {first} after {signal}: {}", failed.error),
            format!("keep accepting for at least {propagation} after the signal: nodes still sent clients to a pod that was gone"),
        ),
        Outcome::ResetBeforeResponse => (
            format!("{requests} reset before the response, the first {first} after {signal}"),
            "close a connection only after a response with `Connection: close` (HTTP/2: GOAWAY); empty the accept queue \
             before the listener closes"
                .to_owned(),
        ),
        Outcome::ResetInResponse => (
            format!("{requests} reset in the middle of the response, the first {first} after {signal}"),
            "wait for requests in flight before the exit".to_owned(),
        ),
        Outcome::UploadCut => (
            format!("{requests} of --upload cut before the response, the first {first} after {signal}"),
            "wait for the rest of request bodies that are on their way, and respond, before the exit".to_owned(),
        ),
        Outcome::Timeout => (
            format!("{requests} without a complete response in time, the first ended {first} after {signal}"),
            "keep serving after the signal: clients do not see that the program has stopped".to_owned(),
        ),
        Outcome::Status(500..) => (
            format!("{requests} got {name}, the first {first} after {signal}"),
            "turn only the readiness URL to 503; serve all other requests until load balancers have removed the program"
                .to_owned(),
        ),
        Outcome::TlsHandshake => (
            format!("{requests} failed in the TLS handshake, the first {first} after {signal}"),
            "count a handshake as work in flight: complete it, and serve the request behind it, before the exit".to_owned(),
        ),
        Outcome::GrpcStatus(14) => (
            format!("{requests} got {name}, the first {first} after {signal}"),
            "serve calls until load balancers have removed the program, and ask clients to reconnect by GOAWAY".to_owned(),
        ),
        Outcome::WebSocketCut => (
            format!("{requests} ended without a Close frame, the first {first} after {signal}"),
            "when the shutdown begins, send a Close frame (1001, going away) on each WebSocket, and wait for the client's \
             Close before the exit"
                .to_owned(),
        ),
        Outcome::WebSocketClosed(_) => (
            format!("{requests} ended with an error, the first {first} after {signal}: {}", failed.error),
            "close with 1001 (going away) or 1012 (service restart) when the shutdown begins: clients reconnect elsewhere"
                .to_owned(),
        ),
        Outcome::WebSocketRefused(500..) => (
            format!("{requests} got {name}, the first {first} after {signal}"),
            "accept WebSockets until load balancers have removed the program".to_owned(),
        ),
        Outcome::Unsent => (
            format!("{requests} not sent, the first due {first} after {signal}: all connections were busy until the end"),
            "the responses are too slow for --connections at this --rate: find out why, or raise one or lower the other"
                .to_owned(),
        ),
        Outcome::StreamCut => (
            format!("{requests} of --stream cut in the middle of the response, the first {first} after {signal}"),
            "end each stream when the shutdown begins, so that its response is complete: clients reconnect elsewhere"
                .to_owned(),
        ),
        _ => (format!("{requests} failed, the first {first} after {signal}: {name}"), failed.error.clone()),
    };
    Reason::fail(text, cut_by_exit(failed, summary).unwrap_or(&advice))
}

/// The advice for requests that are reset because the program ends.
fn cut_by_exit(failed: &Failed, summary: &Summary) -> Option<&'static str> {
    let shutdown = summary.single()?;
    let is_reset = matches!(failed.outcome, Outcome::ResetBeforeResponse | Outcome::ResetInResponse);
    if !is_reset || failed.first < shutdown.exit_after() as i64 - AT_EXIT {
        return None;
    }
    Some(match shutdown.exit {
        _ if has_left_children(shutdown) => "a child process served them until this rehearsal killed it",
        Exit::Killed => "SIGKILL cut them: end within the termination grace period",
        _ => "finish requests in flight, and those in the accept queue, before the exit",
    })
}

/// Whether child processes outlived the program.
pub(super) fn has_left_children(shutdown: &Shutdown) -> bool {
    matches!(shutdown.observed, Observed::Process { children_left: true, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_for_people() {
        assert_eq!([time(300), time(4200), time(-1_250_000)], ["0.3 ms", "4 ms", "-1.2 s"]);
        assert_eq!([time(999), time(999_600), time(3_000_001)], ["1 ms", "1.0 s", "3.0 s"]);
        assert_eq!([span(Duration::from_secs(30)), span(Duration::from_millis(1500))], ["30 s", "1.5 s"]);
        assert_eq!(relative(4200, "SIGTERM"), "4 ms after SIGTERM");
        assert_eq!(relative(-1_250_000, "SIGTERM"), "1.2 s before SIGTERM");
    }
}
