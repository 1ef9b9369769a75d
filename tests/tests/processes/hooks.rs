//! Hooks that fail in different ways: the other hooks run, and every failure is reported.

use crate::hooks_app;
use graceful_tests::{App, Ended, Signal};
use std::{fs, path::PathBuf};

/// Shuts the app down with SIGTERM. Returns its output and its termination log.
fn shut_down(name: &str, app: App) -> (Ended, String) {
    let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("termination-{name}-{}", std::process::id()));
    let app = app.env("GRACEFUL_TERMINATION_LOG", &log).start();
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    let ended = app.end();
    let written = fs::read_to_string(&log).unwrap_or_else(|error| panic!("{error}: no log\n{}", ended.all()));
    fs::remove_file(&log).unwrap();
    (ended, written)
}

/// One hook failed: summary and log report its name, package and location, and the exit code is 3.
fn one_problem(name: &str, app: App, hook: &str, line_of: &str, text: &str) -> Ended {
    let (ended, log) = shut_down(name, app);
    ended.with_code(3).prints_in_order(&["hook last"]);
    let code = include_str!("../../src/bin/hooks_app.rs");
    let line = 1 + code.lines().position(|line| line.contains(line_of)).unwrap();
    for summary in [ended.summary(), &log] {
        let problem = summary.lines().find(|line| line.contains(hook));
        let problem = problem.unwrap_or_else(|| panic!("no `{hook}`\n{summary}\n{}", ended.all()));
        assert!(problem.contains("(graceful-tests "), "the package in {problem}");
        assert!(problem.contains(text), "`{text}` in {problem}");
        // The reported line is that of the function or of the attribute above it.
        let places = [format!("src/bin/hooks_app.rs:{line})"), format!("src/bin/hooks_app.rs:{})", line - 1)];
        assert!(places.iter().any(|place| problem.contains(place)), "{places:?} in {problem}");
        assert!(summary.contains("1 problem, ") && summary.contains("exit code 3"), "{summary}");
    }
    ended
}

#[test]
fn successful_hooks_are_logged_without_problems() {
    let (ended, log) = shut_down("fine", hooks_app());
    ended.with_code(0);
    assert!(log.starts_with("shutdown after SIGTERM: everything finished in time"), "{log}");
    assert!(log.contains("exit code 0") && log.contains("hook 9 last (graceful-tests "), "{log}");
}

#[test]
fn a_failing_hook_is_reported() {
    let app = hooks_app().env("FLUSH", "fail");
    let ended = one_problem("fail", app, "hook 1 flush", "async fn flush", "FAILED: the disk is full");
    ended.prints_in_order(&["hook flush", "hook archive", "hook pool closes"]);
}

#[test]
fn a_panicking_hook_is_reported() {
    let app = hooks_app().env("FLUSH", "panic");
    let ended = one_problem("panic", app, "hook 1 flush", "async fn flush", "PANICKED: the flush is clogged");
    ended.prints_in_order(&["hook flush", "hook archive", "hook pool closes"]);
}

#[test]
fn a_hanging_hook_times_out_and_is_reported() {
    let app = hooks_app().env("FLUSH", "hang");
    let ended = one_problem("hang", app, "hook 1 flush", "async fn flush", "TIMED OUT: still running after 1s");
    ended.prints_in_order(&["hook flush", "hook archive", "hook pool closes"]);
}

#[test]
fn an_async_hook_that_blocks_a_worker_times_out() {
    let app = hooks_app().env("FLUSH", "block");
    one_problem("block-worker", app, "hook 1 flush", "async fn flush", "TIMED OUT: still running after 1s");
}

#[test]
fn a_panicking_sync_hook_is_reported() {
    let app = hooks_app().env("ARCHIVE", "panic");
    one_problem("panic-sync", app, "hook 3 archive", "fn archive", "PANICKED: the archive is on fire");
}

#[test]
fn a_sync_hook_that_blocks_forever_times_out() {
    let app = hooks_app().env("ARCHIVE", "block");
    let ended = one_problem("block", app, "hook 3 archive", "fn archive", "TIMED OUT: still running after 1s");
    ended.prints_in_order(&["hook archive", "hook pool closes"]);
}

#[test]
fn a_hook_without_its_state_is_skipped() {
    let app = hooks_app().env("POOL", "none");
    let ended = one_problem("skip", app, "hook 4 pool", "async fn pool", "SKIPPED: no `hooks_app::Pool` was provided");
    ended.never_prints("hook pool closes").prints_in_order(&["hook last"]);
}

#[test]
fn every_problem_is_reported() {
    let app = hooks_app().env("FLUSH", "fail").env("ARCHIVE", "panic").env("POOL", "none");
    let (ended, log) = shut_down("several", app);
    ended.with_code(3).prints_in_order(&["hook left met right", "hook last"]);
    for summary in [ended.summary(), &log] {
        assert!(summary.contains("3 problems"), "{summary}");
        for problem in ["the disk is full", "the archive is on fire", "`hooks_app::Pool`"] {
            assert!(summary.contains(problem), "{summary}");
        }
    }
}

#[test]
fn a_long_error_leaves_room_for_the_other_problems_and_its_control_characters_are_escaped() {
    let app = hooks_app().env("FLUSH", "fail at length").env("ARCHIVE", "panic").env("POOL", "none");
    let (ended, log) = shut_down("long", app);
    ended.with_code(3);
    assert!(log.len() <= 4096, "{} bytes\n{log}", log.len());
    for summary in [ended.summary(), &log] {
        assert!(summary.contains("3 problems"), "{summary}");
        for problem in ["hook 1 flush", "the disk is full\\u{1b}[2J\\u{0} block", "hook 3 archive", "hook 4 pool"] {
            assert!(summary.contains(problem), "`{problem}` in {summary}");
        }
    }
    for text in [&ended.stderr, &log] {
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    }
}

#[test]
fn hooks_of_the_same_order_run_concurrently_and_orders_run_in_sequence() {
    // `left` and `right` each wait for the other.
    let (ended, _) = shut_down("order", hooks_app());
    ended.with_code(0);
    let order: Vec<_> = ended.stdout.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    let at = |name| order.iter().position(|hook| *hook == name).unwrap_or_else(|| panic!("{name} in {order:?}"));
    for group in ["between", "left", "right"] {
        assert!(at("flush") < at(group) && at(group) < at("archive"), "{order:?}");
    }
    assert_eq!((order[0], order[1], order[2]), ("before", "first", "flush"), "{order:?}");
    assert_eq!(&order[order.len() - 3..], ["archive", "pool", "last"]);
}

#[test]
fn a_hook_registered_while_hooks_run_is_reported_and_does_not_run() {
    let (ended, log) = shut_down("late", hooks_app().env("FLUSH", "register"));
    ended.with_code(3).never_prints("hook too late");
    for summary in [ended.summary(), &log] {
        assert!(summary.contains("hook 99 too late (") && summary.contains("was registered too late"), "{summary}");
    }
}

#[test]
fn the_startup_log_lists_every_hook_in_a_stable_order() {
    let listing = || {
        let (ended, _) = shut_down(&format!("listing-{:?}", std::time::Instant::now()), hooks_app());
        let lines = ended.stderr.lines().take_while(|line| !line.contains("serving: "));
        lines.filter_map(|line| line.split_once("  hook ")).map(|(_, hook)| hook.to_owned()).collect::<Vec<_>>()
    };
    let names: Vec<_> = listing().iter().map(|hook| hook.split(" (").next().unwrap().to_owned()).collect();
    assert_eq!(names, ["-1 the first of all", "1 flush", "2 left", "2 right", "3 archive", "4 pool", "9 last"]);
    assert_eq!(listing(), listing());
}
