//! A wrong configuration refuses to start, with exit code 78 and a message that names what to change.

use crate::{hooks_app, main_that};
use std::net::TcpListener;

#[test]
fn a_health_port_in_use_is_reported_with_its_address_and_the_key_to_change() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = main_that("return").env("GRACEFUL_HEALTH", &address).run();
    ended.with_code(78).never_prints("the hook has run");
    ended.logs_in_order(&["refused to start", &address, "health = ", "GRACEFUL_HEALTH"]);
}

#[test]
fn an_environment_over_the_budget_is_rejected_with_the_sum() {
    let ended = hooks_app().env("GRACEFUL_GRACE", "25s").env("GRACEFUL_MARGIN", "2s").run();
    ended.with_code(78).never_prints("hook");
    ended.logs_in_order(&[
        "refused to start",
        "  pre_stop",
        "+ grace                     25s",
        "+ drain                      2s",
        "+ hooks 1: flush",
        "+ hooks 2: left",
        "+ margin                     2s",
        "= needed                    41s",
        "termination_grace_period  30s, 11s too long",
        "shorten grace by 11s, or set termination_grace_period = \"41s\"",
    ]);
}

#[test]
fn each_invalid_variable_is_rejected_with_one_line_that_names_it() {
    for (name, value, fix) in [
        ("GRACEFUL_GRACE", "8", "write `8s`"),
        ("GRACEFUL_DRAIN", "-1s", "is negative"),
        ("GRACEFUL_TERMINATION_GRACE_PERIOD", "1 m", "write it without"),
        ("GRACEFUL_PRE_STOP", "", "the duration is empty"),
        ("GRACEFUL_MARGIN", "soon", "does not start with a number"),
        ("GRACEFUL_HEALTH", "localhost", "is not an address"),
        ("GRACEFUL_UNREADY", "later", "write `on-signal` or `after-grace` or `never`"),
        ("GRACEFUL_PRINT", "all", "write `plan`"),
    ] {
        let ended = main_that("return").env(name, value).run();
        ended.with_code(78).never_prints("the hook has run");
        let lines: Vec<_> = ended.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "{name}\n{}", ended.all());
        assert!(lines[0].contains("refused to start: ") && lines[0].contains(&format!("{name}: ")), "{}", lines[0]);
        assert!(lines[0].contains(fix), "`{fix}` in {}", lines[0]);
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_rejected_by_name() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let ended = main_that("return").env("GRACEFUL_GRACE", OsStr::from_bytes(&[0xff, 0xfe])).run();
    ended.with_code(78).logs_in_order(&["GRACEFUL_GRACE: the value is not UTF-8"]);
}

#[test]
fn an_environment_variable_overrides_the_attribute() {
    let app = hooks_app().env("GRACEFUL_GRACE", "350ms").env("GRACEFUL_DRAIN", "4s").start();
    app.logs("serving: ready");
    app.begin_drain();
    app.end().with_code(0).logs_in_order(&["serving goes on for 350ms", "draining: waiting up to 4s for main"]);
}

#[test]
fn the_health_server_can_be_off() {
    let ended = main_that("return").env("GRACEFUL_HEALTH", "off").run();
    ended.with_code(0).logs_in_order(&["no health server"]);
}
