//! Custom probe responses, and the default responses that replace them on a failure.

use graceful_tests::{App, Running, Signal, probe};
use std::time::{Duration, Instant};

/// The timeout of the kubelet for a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

fn start(failure: &str) -> Running {
    let app =
        App::new(env!("CARGO_BIN_EXE_failing_probes")).env("FAILURE", failure).env("GRACEFUL_GRACE", "2s").start();
    app.logs("serving: ready");
    app
}

#[track_caller]
fn expect_response(app: &Running, path: &str, status: u16, body: &str) {
    let sent = Instant::now();
    let seen = probe(app.health(), path).unwrap();
    assert!(sent.elapsed() < PROBE_TIMEOUT, "{:?}", sent.elapsed());
    assert_eq!((seen.status, seen.body.as_str()), (status, body), "{path}");
}

#[test]
fn custom_responses_set_status_and_body() {
    let app = start("");
    expect_response(&app, "/readyz", 202, "custom: ok\n");
    expect_response(&app, "/livez", 202, "custom: ok\n");
    assert_eq!(probe(app.health(), "/nonsense").unwrap().status, 404);
    app.begin_shutdown(Signal::TERM);
    expect_response(&app, "/readyz", 410, "custom: draining\n");
    app.end().with_code(0);
}

#[test]
fn a_panicking_response_function_is_replaced_by_the_default_response() {
    let app = start("panics");
    expect_response(&app, "/readyz", 200, "ok\n");
    app.begin_shutdown(Signal::TERM);
    expect_response(&app, "/readyz", 503, "draining\n");
    app.end().with_code(0);
}

#[test]
fn a_slow_response_function_is_replaced_by_the_default_response() {
    let app = start("is slow");
    expect_response(&app, "/readyz", 200, "ok\n");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn the_default_response_is_sent_while_every_thread_of_the_runtime_is_blocked() {
    let mut app = start("");
    app.send_line("block");
    app.prints("every worker is blocked");
    expect_response(&app, "/readyz", 200, "ok\n");
    expect_response(&app, "/livez", 200, "ok\n");
    app.send_line("release");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}
