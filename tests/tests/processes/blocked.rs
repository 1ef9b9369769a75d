//! With every thread of the user's runtime blocked, the process still responds to probes and exits in time.

use crate::{main_that, serve, serve_on_one_thread};
use graceful_tests::{App, Signal, probe};
use std::{
    thread,
    time::{Duration, Instant},
};

/// The termination grace period of these tests, after which Kubernetes would send SIGKILL.
const PERIOD: Duration = Duration::from_secs(5);

fn probes_and_exit(app: App) {
    let app = app.env("GRACEFUL_TERMINATION_GRACE_PERIOD", "5s").env("GRACEFUL_MARGIN", "2500ms");
    let mut app = app.env("GRACEFUL_DRAIN", "500ms").start();
    app.ready();
    let health = app.health();
    app.send_line("block");
    app.prints("every worker is blocked");
    assert_eq!(probe(health, "/readyz").unwrap().status, 200);
    let sent = app.begin_shutdown(Signal::TERM);
    for phase in ["grace: ", "draining: ", "hooks: "] {
        app.logs(phase);
        let (ready, live) = (probe(health, "/readyz").unwrap(), probe(health, "/livez").unwrap());
        assert_eq!((ready.status, ready.body.as_str()), (503, "draining\n"), "{phase}");
        assert_eq!((live.status, live.body.as_str()), (200, "ok\n"), "{phase}");
    }
    let ended = app.end();
    assert!(ended.at - sent < PERIOD, "SIGKILL would have come before {:?}\n{}", ended.at - sent, ended.all());
    ended.with_code(3).never_prints("the hook has run");
    let summary = ended.summary();
    for stuck in [
        "task blocker",
        "did not end within 100ms of being cancelled",
        "hook 1 last_words",
        "no thread of the runtime was free",
    ] {
        assert!(summary.contains(stuck), "`{stuck}`\n{}", ended.all());
    }
}

#[test]
fn probes_and_exit_with_every_worker_blocked() {
    probes_and_exit(serve());
}

#[test]
fn probes_and_exit_with_the_only_thread_blocked() {
    probes_and_exit(serve_on_one_thread());
}

#[test]
fn the_process_exits_at_the_last_deadline_despite_a_waker_that_blocks_the_control_thread() {
    let app = main_that("blocking waker").env("GRACEFUL_TERMINATION_GRACE_PERIOD", "5s");
    let mut app = app.env("GRACEFUL_MARGIN", "4s").start();
    app.logs("serving: ready");
    app.send_line("release");
    app.prints("waits for the shutdown");
    let sent = Instant::now();
    app.signal(Signal::TERM);
    app.prints("blocks graceful-control");
    let ended = app.end();
    // The deadline of the hooks is 1 s; half of the margin is for the forced exit.
    let took = ended.at - sent;
    assert!(took >= Duration::from_millis(2900) && took < PERIOD, "{took:?}\n{}", ended.all());
    ended.with_code(3).logs_in_order(&["graceful: shutdown after SIGTERM: 1 problem", "ended by the last resort"]);
}

#[test]
fn the_exit_code_of_the_last_resort_is_the_one_of_its_report() {
    let app = main_that("blocking waker and fail").env("GRACEFUL_TERMINATION_GRACE_PERIOD", "2s");
    let mut app = app.env("GRACEFUL_MARGIN", "1s").start();
    app.logs("serving: ready");
    app.send_line("release");
    app.prints("blocks graceful-control");
    app.end().with_code(1).logs_in_order(&["Error: NoDatabase", "exit code 1", "ended by the last resort"]);
}

#[test]
fn a_process_that_was_stopped_past_its_deadline_still_reports_what_it_has_lost() {
    // The clock of the shutdown itself: its deadline is 2 s after SIGTERM, and the last resort ends the process at 3.5 s.
    stopped_for(Duration::from_millis(2200));
}

#[test]
fn a_process_that_was_stopped_past_its_last_resort_still_reports_what_it_has_lost() {
    stopped_for(Duration::from_millis(4200));
}

fn stopped_for(time: Duration) {
    let app = serve().env("GRACEFUL_TERMINATION_GRACE_PERIOD", "4s").env("GRACEFUL_MARGIN", "2s");
    let app = app.env("GRACEFUL_GRACE", "500ms").env("GRACEFUL_DRAIN", "500ms").start();
    app.ready();
    app.begin_shutdown(Signal::TERM);
    app.stop();
    thread::sleep(time);
    app.signal(Signal::CONT);
    let ended = app.end();
    let skipped = "hook 1 last_words";
    ended.with_code(3).logs_in_order(&[
        "grace: ",
        "draining: ",
        "hooks: ",
        skipped,
        "shutdown after SIGTERM: ",
        skipped,
    ]);
    ended.never_logs("last resort");
}

#[test]
fn the_third_sigint_ends_a_process_with_every_thread_blocked() {
    let app = serve_on_one_thread().env("GRACEFUL_GRACE", "5s").env("GRACEFUL_DRAIN", "1s");
    let mut app = app.env("GRACEFUL_TERMINATION_GRACE_PERIOD", "8s").start();
    app.ready();
    app.send_line("block");
    app.prints("every worker is blocked");
    app.begin_shutdown(Signal::INT);
    app.signal(Signal::INT);
    app.logs("hooks: ");
    app.signal(Signal::INT);
    app.end().with_code(130);
}

#[test]
fn requests_complete_when_threads_unblock_in_the_drain() {
    let mut app = serve_on_one_thread().start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    app.send_line("block");
    app.prints("every worker is blocked");
    app.begin_drain();
    app.send_line("release");
    let response = client.response();
    assert_eq!((response.status, response.body.as_str()), (200, "held\n"));
    assert!(response.has_connection_close(), "{response:?}");
    client.expect_close();
    app.end().with_code(0).prints_in_order(&["the hook has run"]);
}
