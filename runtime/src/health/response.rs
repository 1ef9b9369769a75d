//! Routes a request to its probe, and renders the response.

use super::{decision::Facts, probe::Probe};
use crate::report::check_state::On;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};
use serde_json::json;

const PATHS: &str = "/livez, /readyz, /startupz, /healthz and /health";

/// The format of a response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Format {
    json: bool,
    verbose: bool,
}

impl Format {
    /// Whether the response shows everything in flight.
    pub(crate) fn is_detailed(self) -> bool {
        self.json || self.verbose
    }
}

fn refuse<T>(response: Response<String>) -> Result<T, Box<Response<String>>> {
    Err(Box::new(response))
}

/// Decides the probe that a request is for.
///
/// # Errors
/// The request is not for a probe: the response to it, such as 404.
pub(crate) fn route<B>(
    request: &Request<B>,
    facts: impl FnOnce(On) -> Facts,
) -> Result<(Probe, Format), Box<Response<String>>> {
    let path = request.uri().path();
    let Some((on, only)) = On::of_path(path) else {
        return refuse(plain(StatusCode::NOT_FOUND, format!("{path} is unknown; the probes are {PATHS}\n")));
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are allowed\n".to_owned());
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refuse(refused);
    }
    let facts = facts(on);
    if let Some(name) = only.filter(|name| !facts.checks.iter().any(|check| check.name == *name)) {
        let names: Vec<_> = facts.checks.iter().map(|check| check.name).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return refuse(plain(StatusCode::NOT_FOUND, format!("there is no {on} check {name}; there are: {names}\n")));
    }
    let query = request.uri().query().unwrap_or_default();
    let excluded: Vec<_> = query.split('&').filter_map(|part| part.strip_prefix("exclude=")).collect();
    let verbose = query.split('&').any(|part| part == "verbose" || part.starts_with("verbose="));
    let accepts = request.headers().get_all(ACCEPT);
    let json = accepts.iter().any(|accept| accept.to_str().is_ok_and(|accept| accept.contains("application/json")));
    Ok((facts.decide(on, only, &excluded), Format { json, verbose }))
}

/// The default response to a probe.
pub(crate) fn render(probe: &Probe, format: Format) -> Response<String> {
    let status = if probe.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match format {
        Format { json: true, .. } => as_json(status, probe),
        Format { verbose: true, .. } => plain(status, lines(probe)),
        Format { .. } => plain(status, format!("{}\n", probe.word)),
    }
}

fn lines(probe: &Probe) -> String {
    let mut text = format!("{}\nphase: {}\n", probe.word, probe.phase);
    for check in &probe.checks {
        let mark = if check.allows() { '+' } else { '-' };
        text += &format!("[{mark}] {} {}\n", check.name, check.status);
    }
    for (name, count) in &probe.in_flight {
        text += &format!("in flight: {count} {name}\n");
    }
    text
}

fn as_json(status: StatusCode, probe: &Probe) -> Response<String> {
    let in_flight: Vec<_> =
        probe.in_flight.iter().map(|(name, count)| json!({ "name": name, "count": count })).collect();
    let checks: Vec<_> = probe
        .checks
        .iter()
        .map(|check| json!({ "name": check.name, "status": check.status.name(), "detail": check.status.to_string() }))
        .collect();
    let body = json!({ "status": probe.word, "phase": probe.phase.name(), "checks": checks, "in_flight": in_flight });
    let mut response = plain(status, format!("{body}\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn plain(status: StatusCode, body: String) -> Response<String> {
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
    use crate::{
        phase::Phase,
        report::check_state::{CheckState, CheckStatus},
    };
    use graceful_plan::Unready;

    fn ask(method: &str, uri: &str, accept: &str, phase: Phase, was_ready: bool, unready: Unready) -> (u16, String) {
        let request = Request::builder().method(method).uri(uri).header(ACCEPT, accept).body(()).unwrap();
        let in_flight = vec![("connections on 1.2.3.4:5".into(), 2)];
        let facts = Facts { phase, was_ready, unready, in_flight, checks: Vec::new() };
        let response =
            route(&request, |_| facts).map_or_else(|refused| *refused, |(probe, format)| render(&probe, format));
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

    fn ask_with_checks(uri: &str, phase: Phase) -> (u16, String) {
        let check = |name, status| CheckState { name, on: On::Readiness, status };
        let facts = Facts {
            phase,
            was_ready: phase > Phase::Starting,
            unready: Unready::Never,
            in_flight: Vec::new(),
            checks: vec![check("cache", CheckStatus::Ok), check("db", CheckStatus::Failing("refused".into()))],
        };
        let request = Request::get(uri).body(()).unwrap();
        let response =
            route(&request, |_| facts).map_or_else(|refused| *refused, |(probe, format)| render(&probe, format));
        (response.status().as_u16(), response.into_body())
    }

    #[test]
    fn a_failing_check_takes_readiness_away_unless_it_is_excluded() {
        let ask = |uri| ask_with_checks(uri, Phase::Serving);
        assert_eq!(ask("/readyz"), (503, "failing\n".into()));
        assert_eq!(ask("/readyz?exclude=db"), (200, "ok\n".into()));
        assert_eq!(ask("/readyz/db"), (503, "failing\n".into()));
        assert_eq!(ask("/readyz/cache"), (200, "ok\n".into()));
        assert_eq!(ask("/readyz?verbose").1, "failing\nphase: serving\n[+] cache ok\n[-] db failing: refused\n");
        assert_eq!(ask("/readyz/queue"), (404, "there is no readiness check queue; there are: cache, db\n".into()));
        assert_eq!(ask_with_checks("/readyz", Phase::Draining), (200, "ok\n".into()), "checks have stopped");
    }

    #[test]
    fn an_unknown_path_or_method_is_refused_with_the_known_ones() {
        let ask = |method, uri| ask(method, uri, "*/*", Phase::Serving, true, Unready::OnSignal);
        let (status, body) = ask("GET", "/ready");
        assert_eq!(
            (status, body.as_str()),
            (404, "/ready is unknown; the probes are /livez, /readyz, /startupz, /healthz and /health\n")
        );
        assert_eq!(ask("POST", "/readyz"), (405, "only GET and HEAD are allowed\n".into()));
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
