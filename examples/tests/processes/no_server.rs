//! Examples without a server: `worker`, `hooks` and `state`.

use crate::example;
use graceful_tests::Signal;

#[test]
fn the_worker_finishes_the_current_job_and_takes_no_other() {
    let app = example!("worker").env("GRACEFUL_GRACE", "0s").start();
    app.prints("job 1 is done");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(0).prints_in_order(&["job 0 is done", "job 1 is done", "remain in the queue for the next worker"]);
    ended.logs_in_order(&["draining: waiting up to 20s for main, task worker", "hooks: nothing is in flight"]);
    let last = ended.stdout.lines().last().unwrap();
    assert!(last.ends_with("remain in the queue for the next worker"), "a job after the drain\n{}", ended.all());
}

#[test]
fn hooks_run_in_order_despite_a_failure_and_a_timeout_and_the_exit_code_is_3() {
    let app = example!("hooks").start();
    app.prints("press Ctrl-C");
    app.signal(Signal::INT);
    let ended = app.end();
    ended.with_code(3).prints_in_order(&["deregistered from service discovery", "flushing logs after SIGINT, "]);
    for last in ["all hooks ran", "closed the file"] {
        ended.prints_in_order(&["flushing logs", last]);
    }
    let summary = ended.summary();
    for part in [
        "2 problems, ",
        "hook 2 flush_orders (graceful-examples examples/hooks.rs:",
        "FAILED: disk full",
        "hook 3 close_pool (graceful-examples examples/hooks.rs:",
        "TIMED OUT: still running after 500ms",
    ] {
        assert!(summary.contains(part), "`{part}`\n{}", ended.all());
    }
}

#[test]
fn a_hook_receives_the_state_of_main() {
    let app = example!("state").start();
    app.prints("press Ctrl-C");
    app.signal(Signal::TERM);
    app.end().with_code(0).prints_in_order(&["flushed 3 orders"]);
}
