//! Checks that fail, and rejected configurations of checks.

use graceful_tests::{App, Signal, probe, wait_for};
use std::time::{Duration, Instant};

#[test]
fn hanging_blocking_and_panicking_checks_are_reported_and_never_delay_a_probe() {
    let mut app = App::new(env!("CARGO_BIN_EXE_bad_checks")).start();
    let health = app.health();
    wait_for(health, "/readyz/hangs", 503, "");
    wait_for(health, "/readyz?verbose", 503, "[-] hangs failing: no result within 50ms\n");
    wait_for(health, "/readyz?verbose", 503, "[-] blocks failing: the last run has not ended yet\n");
    wait_for(health, "/livez?verbose", 503, "[-] panics failing: it panicked: the check panics\n");
    wait_for(health, "/startupz?verbose", 503, "[-] provided_late pending: ");
    // Two failures are below the limit of three. The route of a single check works before the process is ready.
    wait_for(health, "/readyz/flaky-but.fine", 200, "ok");
    let time_of_a_probe = || {
        let started = Instant::now();
        assert_eq!(probe(health, "/readyz").unwrap().status, 503);
        started.elapsed()
    };
    let mut times: Vec<_> = (0..100).map(|_| time_of_a_probe()).collect();
    times.sort();
    assert!(times[50] < Duration::from_millis(40), "probes wait for the timeout of a check: {times:?}");
    wait_for(health, "/readyz/costly", 200, "ok");

    app.send_line("release");
    app.logs("serving: ready");
    wait_for(health, "/startupz", 200, "ok");
    wait_for(health, "/readyz/blocks", 200, "ok"); // its thread is unblocked
    wait_for(health, "/readyz/flaky-but.fine", 200, "ok");
    wait_for(health, "/readyz?exclude=hangs", 200, "ok");
    assert_eq!(probe(health, "/readyz").unwrap().status, 503);
    app.signal(Signal::TERM);
    // A hanging check doesn't delay the shutdown.
    let ended = app.end();
    ended.with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
    // Probes don't start checks: they read the last result.
    assert_eq!(ended.stdout.matches("the costly check runs").count(), 1, "{}", ended.all());
}

#[test]
fn a_check_without_its_state_refuses_to_start_and_is_reported_with_its_location() {
    let app = App::new(env!("CARGO_BIN_EXE_unprovided")).start();
    let ended = app.end();
    ended.with_code(78).logs_in_order(&[
        "readiness check db",
        "tests/integrations/src/bin/unprovided.rs:6",
        "Database",
    ]);
    ended.never_logs("grace: ");
}

#[test]
fn two_checks_with_the_same_name_refuse_to_start_and_both_locations_are_reported() {
    let ended = App::new(env!("CARGO_BIN_EXE_same_name")).run();
    ended.with_code(78).never_prints("main has begun");
    ended.logs_in_order(&["refused to start", "same_name.rs:5", "same_name.rs:10", "have one name", "name = "]);
}

#[test]
fn the_printed_plan_lists_the_checks() {
    let ended = App::new(env!("CARGO_BIN_EXE_bad_checks")).env("GRACEFUL_PRINT", "plan").run();
    let parts = ["\"failures\": 2", "\"name\": \"blocks\"", "\"name\": \"flaky-but.fine\"", "\"on\": \"liveness\""];
    for part in parts {
        assert!(ended.with_code(0).stdout.contains(part), "{part}\n{}", ended.all());
    }
}
