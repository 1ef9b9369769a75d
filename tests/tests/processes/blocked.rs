//! Every thread of the user's runtime is blocked, and the process still answers probes and ends in time.

use crate::{main_that, serve, serve_on_one_thread};
use graceful_tests::{App, Signal, probe};
use std::time::{Duration, Instant};

/// The termination grace period of these tests: SIGKILL would come after it.
const PERIOD: Duration = Duration::from_secs(5);

fn probes_and_exit(app: App) {
    let app = app.env("GRACEFUL_TERMINATION_GRACE_PERIOD", "5s").env("GRACEFUL_MARGIN", "2500ms");
    let mut app = app.env("GRACEFUL_DRAIN", "500ms").start();
    app.ready();
    let health = app.health();
    app.tell("block");
    app.prints("every worker is blocked");
    assert_eq!(probe(health, "/readyz").unwrap().status, 200);
    let sent = app.begin_shutdown(Signal::TERM);
    for phase in ["grace: ", "draining: ", "hooks: "] {
        app.says(phase);
        let (ready, live) = (probe(health, "/readyz").unwrap(), probe(health, "/livez").unwrap());
        assert_eq!((ready.status, ready.body.as_str()), (503, "draining\n"), "{phase}");
        assert_eq!((live.status, live.body.as_str()), (200, "ok\n"), "{phase}");
    }
    let ended = app.end();
    assert!(ended.at - sent < PERIOD, "SIGKILL would have come before {:?}\n{}", ended.at - sent, ended.all());
    ended.with_code(3).never_prints("the hook has run");
    let summary = ended.summary();
    for stuck in ["task blocker", "did not give way", "hook 1 last_words", "no thread of the runtime was free"] {
        assert!(summary.contains(stuck), "`{stuck}`\n{}", ended.all());
    }
}

#[test]
fn every_worker_of_a_pool_is_blocked() {
    probes_and_exit(serve());
}

#[test]
fn the_only_thread_of_the_runtime_is_blocked() {
    probes_and_exit(serve_on_one_thread());
}

#[test]
fn a_waker_that_blocks_the_control_thread_itself_does_not_outlive_the_last_deadline() {
    let app = main_that("blocking waker").env("GRACEFUL_TERMINATION_GRACE_PERIOD", "5s");
    let mut app = app.env("GRACEFUL_MARGIN", "4s").start();
    app.says("serving: ready");
    app.tell("release");
    app.prints("waits for the shutdown");
    let sent = Instant::now();
    app.signal(Signal::TERM);
    app.prints("blocks graceful-control");
    let ended = app.end();
    // The hooks would have been over after 1 s; half of the margin is for what nobody can end in a better way.
    let took = ended.at - sent;
    assert!(took >= Duration::from_millis(2900) && took < PERIOD, "{took:?}\n{}", ended.all());
    ended.with_code(3);
}

#[test]
fn the_third_sigint_ends_a_process_whose_every_thread_is_blocked() {
    let app = serve_on_one_thread().env("GRACEFUL_GRACE", "5s").env("GRACEFUL_DRAIN", "1s");
    let mut app = app.env("GRACEFUL_TERMINATION_GRACE_PERIOD", "8s").start();
    app.ready();
    app.tell("block");
    app.prints("every worker is blocked");
    app.begin_shutdown(Signal::INT);
    app.signal(Signal::INT);
    app.says("hooks: ");
    app.signal(Signal::INT);
    app.end().with_code(130);
}

#[test]
fn threads_that_are_free_again_in_the_drain_finish_their_requests() {
    let mut app = serve_on_one_thread().start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    app.tell("block");
    app.prints("every worker is blocked");
    app.begin_drain();
    app.tell("release");
    let response = client.response();
    assert_eq!((response.status, response.body.as_str()), (200, "held\n"));
    assert!(response.says_close(), "{response:?}");
    client.is_closed();
    app.end().with_code(0).prints_in_order(&["the hook has run"]);
}
