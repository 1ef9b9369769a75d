//! Failures of supervised tasks.

use graceful_tests::{App, Running, Signal};

fn task(fails: &str) -> Running {
    let app = App::new(env!("CARGO_BIN_EXE_supervise")).env("TASK", fails).start();
    app.logs("serving: ready");
    app
}

#[test]
fn a_task_is_restarted_after_an_error_and_a_panic_with_growing_delays() {
    let app = task("restart");
    app.prints("run 2");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.logs_in_order(&[
        "task consumer failed: no broker; it is restarted in 50ms",
        "task consumer failed: it panicked: a bug; it is restarted in 100ms",
        "CUT: task consumer, still in flight",
    ]);
    ended.with_code(3).prints_in_order(&["run 0", "run 1", "run 2", "the hook has run"]);
}

#[test]
fn a_task_that_waits_for_its_restart_does_not_delay_the_drain() {
    let app = task("never again");
    app.logs("it is restarted in 20s");
    app.signal(Signal::TERM);
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn a_fatal_error_starts_a_shutdown_with_grace_and_is_its_cause() {
    let ended = task("fatal error").end();
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    ended.logs_in_order(&["task lease FAILED: the lease is lost", "grace: after ", "lease", "draining: "]);
    let headline = ended.summary().lines().next().unwrap();
    assert!(headline.contains("lease") && headline.contains("the lease is lost"), "{headline}");
}

#[test]
fn a_fatal_panic_starts_a_shutdown_with_grace_and_is_its_cause() {
    let ended = task("fatal panic").end();
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    ended.logs_in_order(&["task lease FAILED: it panicked: a bug", "grace: after ", "draining: "]);
}

#[test]
fn a_logged_failure_has_no_other_effect() {
    let app = task("log");
    app.logs("task cache failed: no cache; it is not restarted");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn a_failure_in_the_drain_is_reported_without_a_restart() {
    let app = task("fails in the drain");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(3).never_logs("it is restarted");
    assert!(
        ended.summary().contains("task consumer FAILED during the shutdown: no acknowledgement"),
        "{}",
        ended.all()
    );
}
