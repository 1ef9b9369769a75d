//! The effects of the first, second and third signal.

use crate::{hooks_app, main_that, serve};
use graceful_tests::Signal;
use std::time::{Duration, Instant};

const HOOKS: [&str; 8] = [
    "hook before all",
    "hook first",
    "hook flush",
    "hook between",
    "hook archive after SIGTERM, in time: true",
    "hook pool closes seven connections",
    "hook last",
    "",
];

#[test]
fn sigterm_goes_through_every_phase_in_order_and_exits_with_0() {
    let app = hooks_app().start();
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(0);
    ended.logs_in_order(&[
        "serving: ready",
        "grace: after SIGTERM",
        "draining: ",
        "main returned",
        "hooks: nothing is in flight",
        "hook -1 the first of all",
        "hook 9 last",
        "stopped",
        "shutdown after SIGTERM: everything finished in time",
        "exit code 0",
    ]);
    ended.prints_in_order(&HOOKS);
}

#[test]
fn the_server_serves_until_grace_ends() {
    let app = serve().env("GRACEFUL_GRACE", "700ms").start();
    app.ready();
    let sent = app.begin_shutdown(Signal::TERM);
    app.logs("draining: ");
    assert!(sent.elapsed() >= Duration::from_millis(700), "the drain began after {:?}", sent.elapsed());
    app.end().with_code(0);
}

#[test]
fn the_first_sigint_starts_grace_and_logs_that_another_skips_it() {
    let app = hooks_app().start();
    app.logs("serving: ready");
    let sent = app.begin_shutdown(Signal::INT);
    let ended = app.end();
    assert!(ended.at - sent >= Duration::from_millis(200), "no grace");
    ended.with_code(0).logs_in_order(&["grace: after SIGINT", "for 200ms; Ctrl-C again skips it", "draining: "]);
}

#[test]
fn a_second_sigint_skips_to_the_hooks_and_a_third_exits_at_once_with_130() {
    let app = hooks_app().env("GRACEFUL_GRACE", "10s").env("FLUSH", "hang").start();
    app.logs("serving: ready");
    app.begin_shutdown(Signal::INT);
    app.logs("grace: after SIGINT");
    app.signal(Signal::INT);
    app.logs("hooks: what was left of grace and drain is skipped, by the second SIGINT");
    app.prints("hook flush");
    app.signal(Signal::INT);
    let ended = app.end();
    ended.with_code(130).never_prints("hook archive").never_logs("draining: ");
    // The summary names the hook that runs and those that have not begun.
    let skipped = "SKIPPED: SIGINT ended the process before the hook had ended";
    ended.logs_in_order(&["shutdown after SIGINT: ended at once by SIGINT", "exit code 130", "hook 1 flush", skipped]);
    ended.logs_in_order(&["exit code 130", "hook 3 archive", skipped, "hook 9 last", skipped]);
    assert!(!ended.summary().contains("the first of all"), "{}", ended.all());
}

#[test]
fn a_third_sigint_exits_at_once_despite_a_hook_value_whose_drop_hangs() {
    let app = main_that("stubborn pool").start();
    app.logs("serving: ready");
    app.begin_shutdown(Signal::INT);
    app.signal(Signal::INT);
    app.prints("the hook has run");
    let third = Instant::now();
    app.signal(Signal::INT);
    let ended = app.end();
    assert!(ended.at - third < Duration::from_secs(5), "it took {:?}\n{}", ended.at - third, ended.all());
    ended.with_code(130).logs_in_order(&["shutdown after SIGINT: ended at once by SIGINT", "exit code 130"]);
}

#[test]
fn a_second_sigint_skips_the_rest_of_the_drain() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    app.begin_shutdown(Signal::INT);
    app.logs("draining: ");
    app.signal(Signal::INT);
    app.logs("hooks: what was left");
    app.prints("the hook has run");
    client.expect_disconnect();
    app.end().with_code(3).logs_in_order(&["CUT: connections on", "main CUT", "exit code 3"]);
}

#[test]
fn a_second_sigterm_changes_nothing() {
    let app = serve().env("GRACEFUL_GRACE", "2s").start();
    app.ready();
    let sent = app.begin_shutdown(Signal::TERM);
    app.signal(Signal::TERM);
    app.logs("SIGTERM during the shutdown after SIGTERM: it goes on as it is");
    let ended = app.end();
    assert!(ended.at - sent >= Duration::from_secs(2), "the second SIGTERM cut the grace short");
    ended.with_code(0).logs_in_order(&["grace: after SIGTERM", "draining: ", "hooks: nothing is in flight"]);
}

#[test]
fn signals_without_an_effect_are_logged_once_and_counted() {
    let app = serve().env("GRACEFUL_GRACE", "2s").start();
    app.ready();
    app.begin_shutdown(Signal::TERM);
    app.signal(Signal::TERM);
    app.logs("SIGTERM during the shutdown after SIGTERM: it goes on as it is");
    (0..50).for_each(|_| app.signal(Signal::TERM));
    let ended = app.end();
    ended.with_code(0).logs_in_order(&["draining: ", " signals arrived during the shutdown and changed nothing"]);
    assert_eq!(ended.stderr.matches("it goes on as it is\n").count(), 1, "{}", ended.all());
}

#[test]
fn the_first_sigint_after_sigterm_does_not_skip_grace_and_the_second_does() {
    let app = serve().env("GRACEFUL_GRACE", "10s").start();
    app.ready();
    app.begin_shutdown(Signal::TERM);
    app.signal(Signal::INT);
    app.logs("SIGINT during the shutdown after SIGTERM: it goes on as it is");
    // Still in grace: the server serves.
    assert_eq!(app.client().get("/fast").status, 200);
    app.signal(Signal::INT);
    app.logs("hooks: what was left of grace and drain is skipped");
    app.end().never_logs("draining: ").logs_in_order(&["shutdown after SIGTERM"]);
}

#[test]
fn a_signal_during_startup_skips_grace_and_main_observes_it() {
    let app = main_that("connect").env("GRACEFUL_GRACE", "10s").start();
    app.prints("connecting");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(0).never_logs("grace: ").prints_in_order(&["connecting", "the hook has run"]);
    ended.logs_in_order(&[
        "draining: after SIGTERM, before it was ready, so without grace",
        "main returned",
        "hooks: ",
    ]);
}

#[test]
fn the_report_has_the_reason_of_a_requested_shutdown() {
    let ended = main_that("shutdown").run();
    ended.with_code(0).logs_in_order(&[
        "grace: after a request to shut down: the leader lease is lost",
        "draining: ",
        "shutdown after a request to shut down: the leader lease is lost: everything finished in time",
    ]);
}

#[test]
fn deadlines_hold_under_a_flood_of_requests_to_shut_down() {
    let begun = Instant::now();
    let ended = main_that("flood").env("GRACEFUL_TERMINATION_GRACE_PERIOD", "15s").run();
    assert!(ended.at - begun < Duration::from_secs(10), "it took {:?}", ended.at - begun);
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    ended.logs_in_order(&["grace: after a request to shut down: again", "draining: ", "hooks: the drain deadline"]);
    // The report summarizes repeated requests.
    ended.logs_in_order(&["main CUT", "exit code 3"]);
    assert!(ended.stderr.lines().count() < 100, "{} lines", ended.stderr.lines().count());
}
