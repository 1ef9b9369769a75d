//! The process as PID 1 in its own namespace. A test prints a note and passes if the system doesn't permit namespaces.

use crate::lifecycle;
use graceful_tests::{App, PATIENCE, Running};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

const APP: &str = env!("CARGO_BIN_EXE_lifecycle");
const UNSHARE: [&str; 4] = ["--fork", "--pid", "--mount-proc", "--kill-child"];

/// The command as PID 1 of a namespace; `None` if the system doesn't permit it.
fn as_pid_1(command: &[&str]) -> Option<App> {
    let permitted = Command::new("unshare").args(UNSHARE).arg("true").status().is_ok_and(|status| status.success());
    if !permitted {
        println!("skipped: no PID namespaces for this user");
        return None;
    }
    Some(UNSHARE.iter().chain(command).fold(App::new("unshare"), App::arg))
}

/// The child processes of a process, seen from outside of the namespace.
fn children(of: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The process that is PID 1 of the namespace.
fn pid_1(app: &Running) -> u32 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match children(app.pid())[..] {
            [pid] => return pid,
            _ => assert!(Instant::now() < deadline, "unshare has no child\n{}", app.so_far()),
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn send(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn init_forwards_a_signal_once_and_returns_the_exit_code() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    let app = app.env("INIT", "yes").start();
    app.prints("pid 2");
    app.logs("serving: ready");
    assert_eq!(children(pid_1(&app)).len(), 1);
    send(pid_1(&app), Signal::TERM);
    let ended = app.end();
    ended.with_code(0).logs_in_order(&["grace: after SIGTERM", "hooks: nothing is in flight"]);
    ended.never_logs("during the shutdown");
    assert_eq!(ended.stderr.matches("probes on http://").count(), 1, "{}", ended.all());
}

#[test]
fn init_forwards_sigint_once() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    let app = app.env("INIT", "yes").env("GRACEFUL_GRACE", "500ms").start();
    app.logs("serving: ready");
    send(pid_1(&app), Signal::INT);
    app.end().with_code(0).logs_in_order(&["grace: after SIGINT", "draining: "]).never_logs("second SIGINT");
}

#[test]
fn init_returns_the_exit_code_of_the_program() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    app.env("INIT", "yes").env("MAIN", "return 7").run().with_code(7);
}

#[test]
fn init_returns_128_plus_the_signal_that_killed_the_program() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    app.env("INIT", "yes").env("MAIN", "killed").run().with_code(128 + 9);
}

#[test]
fn init_reaps_orphans() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    let app = app.env("INIT", "yes").env("MAIN", "orphan").start();
    app.prints("the orphan was reaped");
    app.logs("serving: ready");
    send(pid_1(&app), Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn init_returns_the_exit_code_of_a_refusal_to_start() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    let ended = app.env("INIT", "yes").env("GRACEFUL_GRACE", "8").run();
    ended.with_code(78).logs_in_order(&["refused to start", "GRACEFUL_GRACE"]);
}

#[test]
fn without_init_the_program_is_pid_1_and_receives_its_signals() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    let app = app.start();
    app.prints("pid 1");
    app.logs("serving: ready");
    send(pid_1(&app), Signal::TERM);
    app.end().with_code(0).logs_in_order(&["grace: after SIGTERM"]);
}

#[test]
fn init_has_no_effect_in_a_process_that_is_not_pid_1() {
    let app = lifecycle().env("INIT", "yes").start();
    app.prints(&format!("pid {}", app.pid()));
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn a_shell_as_pid_1_is_reported_with_the_fix() {
    let Some(app) = as_pid_1(&["sh", "-c", "\"$0\"; true", APP]) else { return };
    let app = app.start();
    app.logs("serving: ready");
    let warning = app.logs("PID 1 is the shell");
    assert!(warning.contains("does not pass SIGTERM on") && warning.contains("CMD [\"/app\"]"), "{warning}");
    // The warning is correct: the shell receives SIGTERM, and the program doesn't.
    send(pid_1(&app), Signal::TERM);
    let program = children(pid_1(&app));
    assert_eq!(program.len(), 1, "{}", app.so_far());
    send(program[0], Signal::TERM);
    let ended = app.end();
    assert_eq!(ended.stderr.matches("SIGTERM during the shutdown").count(), 0, "{}", ended.all());
    ended.with_code(0);
}

#[test]
fn a_shell_that_replaces_itself_with_exec_is_not_reported() {
    let Some(app) = as_pid_1(&["sh", "-c", "exec \"$0\"", APP]) else { return };
    let app = app.start();
    app.prints("pid 1");
    app.logs("serving: ready");
    send(pid_1(&app), Signal::TERM);
    app.end().with_code(0).never_logs("PID 1 is the shell");
}
