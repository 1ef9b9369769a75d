//! Tasks and futures that the drain waits for.

use crate::main_that;
use graceful_tests::{Signal, pulse::on_a_responsive_machine};

#[test]
fn the_drain_waits_for_a_task_after_main_returned() {
    let mut app = main_that("task").env("GRACEFUL_DRAIN", "20s").start();
    app.logs("serving: ready");
    app.begin_drain();
    app.logs("main returned");
    app.send_line("release");
    let ended = app.end();
    ended.with_code(0).prints_in_order(&["the task is done", "the hook has run"]);
    ended.logs_in_order(&["draining: waiting up to 20s for main, task uploader", "hooks: nothing is in flight"]);
}

#[test]
fn an_unfinished_task_is_cut_at_the_drain_deadline_and_reported() {
    on_a_responsive_machine(|| {
        let app = main_that("stuck task").start();
        app.logs("serving: ready");
        app.begin_drain();
        let ended = app.end();
        ended
            .with_code(3)
            .prints_in_order(&["the hook has run"])
            .never_logs("did not end within 100ms of being cancelled");
        assert!(ended.summary().contains("CUT: task uploader, still in flight"), "{}", ended.all());
    });
}

#[test]
fn a_task_that_panics_while_serving_is_reported_and_does_not_fail_the_shutdown() {
    let app = main_that("panicking task").start();
    app.logs("task uploader PANICKED");
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(0).prints_in_order(&["the hook has run"]);
    ended.logs_in_order(&["task uploader PANICKED", "shutdown after SIGTERM", "exit code 0"]);
}

#[test]
fn a_task_that_panics_in_the_shutdown_is_reported_and_the_exit_code_is_3() {
    let app = main_that("task that panics in the drain").start();
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    assert!(ended.summary().contains("task uploader PANICKED"), "{}", ended.all());
}

#[test]
fn the_drain_waits_for_a_tracked_future() {
    let mut app = main_that("tracked").env("GRACEFUL_DRAIN", "20s").start();
    app.logs("serving: ready");
    app.begin_drain();
    app.logs("main returned");
    app.send_line("release");
    app.end().with_code(0).prints_in_order(&["the future is done", "the hook has run"]);
}

#[test]
fn an_unfinished_tracked_future_is_reported_with_its_location() {
    let app = main_that("stuck tracked").start();
    app.logs("serving: ready");
    app.begin_drain();
    let ended = app.end();
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    let place = "CUT: the future tracked at tests/src/bin/main_end.rs:";
    assert!(ended.summary().contains(place), "{}", ended.all());
}
