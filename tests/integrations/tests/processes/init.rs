//! As PID 1, in a namespace of its own. Where the system does not permit one, a test prints so and proves nothing.

use crate::life;
use graceful_tests::{App, PATIENCE, Running};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

const APP: &str = env!("CARGO_BIN_EXE_life");
const UNSHARE: [&str; 4] = ["--fork", "--pid", "--mount-proc", "--kill-child"];

/// The command in a namespace where it is PID 1; `None` if that is not permitted.
fn as_pid_1(command: &[&str]) -> Option<App> {
    let permitted = Command::new("unshare").args(UNSHARE).arg("true").status().is_ok_and(|status| status.success());
    if !permitted {
        println!("skipped: no PID namespaces for this user");
        return None;
    }
    Some(UNSHARE.iter().chain(command).fold(App::new("unshare"), App::arg))
}

/// The children of a process, as seen from outside of the namespace.
fn children(of: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// PID 1 of the namespace.
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
fn it_forwards_a_signal_once_and_returns_what_the_program_does() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    let app = app.env("INIT", "yes").start();
    app.prints("pid 2");
    app.says("serving: ready");
    assert_eq!(children(pid_1(&app)).len(), 1);
    send(pid_1(&app), Signal::TERM);
    let ended = app.end();
    ended.with_code(0).says_in_order(&["grace: after SIGTERM", "hooks: nothing is in flight"]);
    ended.never_says("during the shutdown");
    assert_eq!(ended.said.matches("probes on http://").count(), 1, "{}", ended.all());
}

#[test]
fn an_interrupt_is_heard_once() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    let app = app.env("INIT", "yes").env("GRACEFUL_GRACE", "500ms").start();
    app.says("serving: ready");
    send(pid_1(&app), Signal::INT);
    app.end().with_code(0).says_in_order(&["grace: after SIGINT", "draining: "]).never_says("second SIGINT");
}

#[test]
fn it_returns_the_exit_code_of_the_program() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    app.env("INIT", "yes").env("LIFE", "return 7").run().with_code(7);
}

#[test]
fn it_returns_128_and_the_signal_that_killed_the_program() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    app.env("INIT", "yes").env("LIFE", "killed").run().with_code(128 + 9);
}

#[test]
fn it_reaps_orphans() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    let app = app.env("INIT", "yes").env("LIFE", "orphan").start();
    app.prints("the orphan was reaped");
    app.says("serving: ready");
    send(pid_1(&app), Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn a_wrong_configuration_is_refused_with_the_same_code() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    let ended = app.env("INIT", "yes").env("GRACEFUL_GRACE", "8").run();
    ended.with_code(78).says_in_order(&["refused to start", "GRACEFUL_GRACE"]);
}

#[test]
fn a_program_that_is_not_asked_to_be_an_init_is_pid_1_itself_and_hears_its_signals() {
    let Some(app) = as_pid_1(&[APP]) else { return };
    let app = app.start();
    app.prints("pid 1");
    app.says("serving: ready");
    send(pid_1(&app), Signal::TERM);
    app.end().with_code(0).says_in_order(&["grace: after SIGTERM"]);
}

#[test]
fn an_init_that_is_not_pid_1_is_none() {
    let app = life().env("INIT", "yes").start();
    app.prints(&format!("pid {}", app.pid()));
    app.says("serving: ready");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn a_shell_as_pid_1_is_named_with_the_fix() {
    let Some(app) = as_pid_1(&["sh", "-c", "\"$0\"; true", APP]) else { return };
    let app = app.start();
    app.says("serving: ready");
    let warning = app.says("PID 1 is the shell");
    assert!(warning.contains("does not pass SIGTERM on") && warning.contains("CMD [\"/app\"]"), "{warning}");
    // It is right: the shell hears SIGTERM, and the program does not.
    send(pid_1(&app), Signal::TERM);
    let program = children(pid_1(&app));
    assert_eq!(program.len(), 1, "{}", app.so_far());
    send(program[0], Signal::TERM);
    let ended = app.end();
    assert_eq!(ended.said.matches("SIGTERM during the shutdown").count(), 0, "{}", ended.all());
    ended.with_code(0);
}

#[test]
fn a_shell_that_hands_over_with_exec_is_no_reason_to_warn() {
    let Some(app) = as_pid_1(&["sh", "-c", "exec \"$0\"", APP]) else { return };
    let app = app.start();
    app.prints("pid 1");
    app.says("serving: ready");
    send(pid_1(&app), Signal::TERM);
    app.end().with_code(0).never_says("PID 1 is the shell");
}
