//! Answers to probes in a user's own words, and what happens when those fail.

use graceful_tests::{App, Running, Signal, probe};
use std::time::{Duration, Instant};

/// What a kubelet allows a probe.
const KUBELET: Duration = Duration::from_secs(1);

fn answers(answer: &str) -> Running {
    let app = App::new(env!("CARGO_BIN_EXE_answers")).env("ANSWER", answer).start();
    app.says("serving: ready");
    app
}

#[track_caller]
fn is_answered(app: &Running, path: &str, status: u16, body: &str) {
    let asked = Instant::now();
    let seen = probe(app.health(), path).unwrap();
    assert!(asked.elapsed() < KUBELET, "{:?}", asked.elapsed());
    assert_eq!((seen.status, seen.body.as_str()), (status, body), "{path}");
}

#[test]
fn they_have_their_own_status_and_body() {
    let app = answers("");
    is_answered(&app, "/readyz", 202, "own words: ok\n");
    is_answered(&app, "/livez", 202, "own words: ok\n");
    assert_eq!(probe(app.health(), "/nonsense").unwrap().status, 404);
    app.begin_shutdown(Signal::TERM);
    is_answered(&app, "/readyz", 410, "own words: draining\n");
    app.end().with_code(0);
}

#[test]
fn one_that_panics_gives_way_to_the_usual_one() {
    let app = answers("panics");
    is_answered(&app, "/readyz", 200, "ok\n");
    app.begin_shutdown(Signal::TERM);
    is_answered(&app, "/readyz", 503, "draining\n");
    app.end().with_code(0);
}

#[test]
fn one_that_takes_too_long_gives_way_to_the_usual_one() {
    let app = answers("is slow");
    is_answered(&app, "/readyz", 200, "ok\n");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn they_give_way_when_every_thread_of_the_runtime_is_blocked() {
    let mut app = answers("");
    app.tell("block");
    app.prints("every worker is blocked");
    is_answered(&app, "/readyz", 200, "ok\n");
    is_answered(&app, "/livez", 200, "ok\n");
    app.tell("release");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}
