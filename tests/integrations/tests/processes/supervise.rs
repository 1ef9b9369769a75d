//! Tasks whose failures matter.

use graceful_tests::{App, Running, Signal};

fn task(fails: &str) -> Running {
    let app = App::new(env!("CARGO_BIN_EXE_supervise")).env("TASK", fails).start();
    app.says("serving: ready");
    app
}

#[test]
fn one_is_restarted_after_an_error_and_after_a_panic_with_longer_pauses() {
    let app = task("restart");
    app.prints("run 2");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.says_in_order(&[
        "task consumer failed: no broker; it is restarted in 50ms",
        "task consumer failed: it panicked: a bug; it is restarted in 100ms",
        "CUT: task consumer was still in flight",
    ]);
    ended.with_code(3).prints_in_order(&["run 0", "run 1", "run 2", "the hook has run"]);
}

#[test]
fn one_that_waits_for_its_restart_does_not_hold_the_drain() {
    let app = task("never again");
    app.says("it is restarted in 20s");
    app.signal(Signal::TERM);
    app.end().with_code(0).says_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn a_fatal_error_shuts_down_with_grace_and_is_the_cause() {
    let ended = task("fatal error").end();
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    ended.says_in_order(&["task lease FAILED: the lease is lost", "grace: after ", "lease", "draining: "]);
    let headline = ended.summary().lines().next().unwrap();
    assert!(headline.contains("lease") && headline.contains("the lease is lost"), "{headline}");
}

#[test]
fn a_fatal_panic_is_the_same() {
    let ended = task("fatal panic").end();
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    ended.says_in_order(&["task lease FAILED: it panicked: a bug", "grace: after ", "draining: "]);
}

#[test]
fn one_that_is_only_logged_changes_nothing() {
    let app = task("log");
    app.says("task cache failed: no cache; it is not restarted");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn a_failure_in_the_drain_is_an_error_and_no_restart() {
    let app = task("fails in the drain");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(3).never_says("it is restarted");
    assert!(
        ended.summary().contains("task consumer FAILED during the shutdown: no acknowledgement"),
        "{}",
        ended.all()
    );
}
