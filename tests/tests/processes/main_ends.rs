//! The ways in which `main` ends or does not end.

use crate::main_that;
use graceful_tests::{Signal, pulse::on_a_responsive_machine};
use std::time::Duration;

#[test]
fn there_is_no_grace_after_main_returns() {
    let ended = main_that("return").env("GRACEFUL_GRACE", "10s").run();
    ended.with_code(0).never_logs("grace: ").prints_in_order(&["the hook has run"]);
    ended.logs_in_order(&["main returned", "draining: after the return of main", "hooks: ", "everything finished"]);
}

#[test]
fn an_error_is_printed_as_std_prints_it_and_the_exit_code_is_1() {
    let ended = main_that("fail").run();
    ended.with_code(1).prints_in_order(&["the hook has run"]);
    let as_std = "Error: NoDatabase { host: \"db-7\" }";
    assert!(ended.stderr.lines().any(|line| line == as_std), "{}", ended.all());
    ended.logs_in_order(&["shutdown after the return of main", "exit code 1", "main FAILED: NoDatabase"]);
}

#[test]
fn the_exit_code_of_main_is_the_exit_code_of_the_process() {
    main_that("code").run().with_code(7).prints_in_order(&["the hook has run"]);
}

#[test]
fn hooks_run_after_a_panic_of_main_and_the_exit_code_is_101() {
    let ended = main_that("panic").run();
    ended.with_code(101).prints_in_order(&["the hook has run"]);
    ended.logs_in_order(&["exit code 101", "main PANICKED: main panics"]);
}

#[test]
fn an_error_of_main_in_the_drain_sets_the_exit_code() {
    let app = main_that("fail in the drain").start();
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    app.end().with_code(1).prints_in_order(&["the hook has run"]).logs_in_order(&["Error: NoDatabase", "exit code 1"]);
}

#[test]
fn a_main_that_hangs_is_cut_at_the_drain_deadline() {
    on_a_responsive_machine(|| {
        let app = main_that("hang").start();
        app.logs("serving: ready");
        let sent = app.begin_shutdown(Signal::TERM);
        let ended = app.end();
        assert!(ended.at - sent >= Duration::from_millis(700), "cut before grace and drain were over");
        ended.with_code(3).prints_in_order(&["the hook has run"]);
        ended.logs_in_order(&["draining: waiting up to 500ms for main", "hooks: the drain deadline", "stopped"]);
        ended.logs_in_order(&["exit code 3", "main CUT: it had not returned when the drain was over"]);
        ended.never_logs("did not end within 100ms of being cancelled");
    });
}

#[test]
fn a_main_that_blocks_its_thread_is_reported_and_the_process_exits() {
    let app = main_that("block").env("GRACEFUL_TERMINATION_GRACE_PERIOD", "5s").start();
    app.logs("serving: ready");
    let sent = app.begin_shutdown(Signal::TERM);
    let ended = app.end();
    assert!(ended.at - sent < Duration::from_secs(5), "SIGKILL would have come before {:?}", ended.at - sent);
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    let summary = ended.summary();
    assert!(
        summary.contains("main CUT") && summary.contains("main did not end within 100ms of being cancelled"),
        "{}",
        ended.all()
    );
}

#[test]
fn a_main_that_blocks_is_ended_by_three_sigints() {
    let app = main_that("block").env("GRACEFUL_GRACE", "10s").start();
    app.logs("serving: ready");
    app.begin_shutdown(Signal::INT);
    app.signal(Signal::INT);
    app.logs("hooks: ");
    app.signal(Signal::INT);
    let ended = app.end();
    // The hooks may end before the process handles the third SIGINT.
    assert!(ended.stderr.contains("exit code 130") || ended.stderr.contains("exit code 3"), "{}", ended.all());
}
