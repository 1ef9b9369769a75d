//! Checks that misbehave, and configurations of checks that are refused.

use graceful_tests::{App, Signal, probe, wait_for};
use std::time::{Duration, Instant};

#[test]
fn checks_that_hang_block_or_panic_are_named_and_never_delay_a_probe() {
    let mut app = App::new(env!("CARGO_BIN_EXE_bad_checks")).start();
    let health = app.health();
    wait_for(health, "/readyz/hangs", 503, "");
    wait_for(health, "/readyz?verbose", 503, "[-] hangs failing: no result within 50ms\n");
    wait_for(health, "/readyz?verbose", 503, "[-] blocks failing: the last run has not ended yet\n");
    wait_for(health, "/livez?verbose", 503, "[-] panics failing: it panicked: the check has had enough\n");
    wait_for(health, "/startupz?verbose", 503, "[-] provided_late pending: ");
    // Two failures in a row are not three; a check by itself says what it knows before the process is ready.
    wait_for(health, "/readyz/flaky-but.fine", 200, "ok");
    let asked = Instant::now();
    for _ in 0..100 {
        assert_eq!(probe(health, "/readyz").unwrap().status, 503);
    }
    assert!(asked.elapsed() < Duration::from_secs(3), "100 probes took {:?}", asked.elapsed());
    wait_for(health, "/readyz/costly", 200, "ok");

    app.tell("release");
    app.says("serving: ready");
    wait_for(health, "/startupz", 200, "ok");
    wait_for(health, "/readyz/blocks", 200, "ok"); // its thread is free again
    assert_eq!(probe(health, "/readyz/flaky-but.fine").unwrap().status, 200);
    wait_for(health, "/readyz?exclude=hangs", 200, "ok");
    assert_eq!(probe(health, "/readyz").unwrap().status, 503);
    app.signal(Signal::TERM);
    // A check that hangs holds up nothing.
    let ended = app.end();
    ended.with_code(0).says_in_order(&["hooks: nothing is in flight"]);
    // Nor do probes cause work: they are told what is known.
    assert_eq!(ended.printed.matches("the costly check runs").count(), 1, "{}", ended.all());
}

#[test]
fn a_check_whose_state_is_never_provided_refuses_to_start_and_names_its_place() {
    let app = App::new(env!("CARGO_BIN_EXE_unprovided")).start();
    let ended = app.end();
    ended.with_code(78).says_in_order(&[
        "readiness check db",
        "tests/integrations/src/bin/unprovided.rs:6",
        "Database",
    ]);
    ended.never_says("grace: ");
}

#[test]
fn two_checks_of_one_name_refuse_to_start_and_name_both_places() {
    let ended = App::new(env!("CARGO_BIN_EXE_same_name")).run();
    ended.with_code(78).never_prints("main has begun");
    ended.says_in_order(&["refused to start", "same_name.rs:5", "same_name.rs:10", "have one name", "name = "]);
}

#[test]
fn the_printed_plan_lists_them() {
    let ended = App::new(env!("CARGO_BIN_EXE_bad_checks")).env("GRACEFUL_PRINT", "plan").run();
    let parts = ["\"failures\": 2", "\"name\": \"blocks\"", "\"name\": \"flaky-but.fine\"", "\"on\": \"liveness\""];
    for part in parts {
        assert!(ended.with_code(0).printed.contains(part), "{part}\n{}", ended.all());
    }
}
