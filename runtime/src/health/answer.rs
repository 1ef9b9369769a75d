//! What a probe is told: a pure function of the request's head and of a few facts.

use crate::{context::Context, phase::Phase};
use graceful_plan::Unready;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};
use serde_json::json;

/// What an answer depends on.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) phase: Phase,
    pub(super) was_ready: bool,
    pub(super) unready: Unready,
    /// What is in flight: name and number.
    pub(super) in_flight: Vec<(String, usize)>,
}

impl Facts {
    pub(super) fn of(context: &Context) -> Self {
        Self {
            phase: context.phase(),
            was_ready: context.0.was_ready(),
            unready: context.0.plan.unready,
            in_flight: context.0.tracker.remaining(),
        }
    }

    /// Readiness, and the word that stands for it.
    fn readiness(&self) -> (bool, &'static str) {
        let ready = self.was_ready
            && match self.phase {
                Phase::Starting => false,
                Phase::Serving => true,
                Phase::Grace => self.unready != Unready::OnSignal,
                Phase::Draining | Phase::Hooks | Phase::Stopped => self.unready == Unready::Never,
            };
        match (ready, self.phase.is_terminating()) {
            (true, _) => (true, "ok"),
            (false, true) => (false, "draining"),
            (false, false) => (false, "starting"),
        }
    }

    fn startup(&self) -> (bool, &'static str) {
        // A shutdown ends the start-up: restarting a process that is on its way out helps nobody.
        match self.was_ready || self.phase.is_terminating() {
            true => (true, "ok"),
            false => (false, "starting"),
        }
    }
}

const PATHS: &str = "/livez, /readyz, /startupz, /healthz and /health";

/// The answer to a probe.
pub(super) fn answer<B>(request: &Request<B>, facts: &Facts) -> Response<String> {
    let (good, word) = match request.uri().path() {
        "/livez" => (true, "ok"),
        "/readyz" | "/healthz" | "/health" => facts.readiness(),
        "/startupz" => facts.startup(),
        path => return plain(StatusCode::NOT_FOUND, format!("{path} is not known here; there are {PATHS}\n")),
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n".to_owned());
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let query = request.uri().query().unwrap_or_default();
    let verbose = query.split('&').any(|part| part == "verbose" || part.starts_with("verbose="));
    let json = request
        .headers()
        .get_all(ACCEPT)
        .iter()
        .any(|accept| accept.as_bytes().windows(16).any(|w| w == b"application/json"));
    match (json, verbose) {
        (true, _) => as_json(status, word, facts),
        (false, true) => plain(status, lines(word, facts)),
        (false, false) => plain(status, format!("{word}\n")),
    }
}

fn lines(word: &str, facts: &Facts) -> String {
    let mut text = format!("{word}\nphase: {}\n", facts.phase);
    for (name, count) in &facts.in_flight {
        text += &format!("in flight: {count} {name}\n");
    }
    text
}

fn as_json(status: StatusCode, word: &str, facts: &Facts) -> Response<String> {
    let in_flight: Vec<_> =
        facts.in_flight.iter().map(|(name, count)| json!({ "name": name, "count": count })).collect();
    let body = json!({ "status": word, "phase": facts.phase.name(), "in_flight": in_flight });
    let mut response = plain(status, format!("{body}\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn plain(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &str, uri: &str, accept: &str, phase: Phase, was_ready: bool, unready: Unready) -> (u16, String) {
        let request = Request::builder().method(method).uri(uri).header(ACCEPT, accept).body(()).unwrap();
        let facts = Facts { phase, was_ready, unready, in_flight: vec![("connections on 1.2.3.4:5".into(), 2)] };
        let response = answer(&request, &facts);
        (response.status().as_u16(), response.into_body())
    }

    #[test]
    fn readiness_follows_the_phase_and_the_unready_key() {
        use Phase::*;
        use Unready::*;
        for (phase, was_ready, unready, status, body) in [
            (Starting, false, OnSignal, 503, "starting\n"),
            (Serving, true, OnSignal, 200, "ok\n"),
            (Grace, true, OnSignal, 503, "draining\n"),
            (Grace, true, AfterGrace, 200, "ok\n"),
            (Draining, true, AfterGrace, 503, "draining\n"),
            (Draining, true, Never, 200, "ok\n"),
            (Hooks, true, Never, 200, "ok\n"),
            (Draining, false, Never, 503, "draining\n"),
            (Stopped, true, OnSignal, 503, "draining\n"),
        ] {
            for path in ["/readyz", "/healthz", "/health"] {
                assert_eq!(
                    ask("GET", path, "*/*", phase, was_ready, unready),
                    (status, body.into()),
                    "{phase} {unready:?}"
                );
            }
            assert_eq!(ask("GET", "/livez", "*/*", phase, was_ready, unready), (200, "ok\n".into()), "{phase}");
        }
    }

    #[test]
    fn startup_is_over_once_the_process_was_ready_or_stops() {
        let ask = |phase, was_ready| ask("GET", "/startupz", "*/*", phase, was_ready, Unready::OnSignal);
        assert_eq!(ask(Phase::Starting, false), (503, "starting\n".into()));
        assert_eq!(ask(Phase::Serving, true), (200, "ok\n".into()));
        assert_eq!(ask(Phase::Draining, false), (200, "ok\n".into()));
    }

    #[test]
    fn what_is_not_known_says_what_is() {
        let ask = |method, uri| ask(method, uri, "*/*", Phase::Serving, true, Unready::OnSignal);
        let (status, body) = ask("GET", "/ready");
        assert_eq!(
            (status, body.as_str()),
            (404, "/ready is not known here; there are /livez, /readyz, /startupz, /healthz and /health\n")
        );
        assert_eq!(ask("POST", "/readyz"), (405, "only GET and HEAD are answered here\n".into()));
        assert_eq!(ask("HEAD", "/readyz").0, 200);
    }

    #[test]
    fn details_as_lines_and_as_json() {
        let ask = |uri, accept| ask("GET", uri, accept, Phase::Grace, true, Unready::OnSignal);
        assert_eq!(
            ask("/readyz?verbose", "*/*"),
            (503, "draining\nphase: grace\nin flight: 2 connections on 1.2.3.4:5\n".into())
        );
        let (status, body) = ask("/readyz", "text/html, application/json;q=0.9");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["status"], &body["phase"]), (503, &json!("draining"), &json!("grace")));
        assert_eq!(body["in_flight"][0]["count"], 2);
    }
}
