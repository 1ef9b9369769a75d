//! Supervised tasks.

use crate::example;
use graceful_tests::Signal;

#[test]
fn a_failure_restarts_one_task_and_is_only_logged_for_another() {
    let app = example!("supervised").start();
    app.logs("serving: ready");
    app.prints("message 7"); // past two failures
    app.logs("task cache warmer failed: no cache server; it is not restarted");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.logs_in_order(&["task consumer failed: connection reset; it is restarted in 100ms", "restarted in 200ms"]);
    // The thread that still reads stdin doesn't delay the exit.
    ended.with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn a_failure_of_a_critical_task_shuts_the_process_down_and_is_reported() {
    let mut app = example!("supervised").start();
    app.logs("serving: ready");
    app.send_line("");
    let ended = app.end();
    ended.with_code(3);
    ended.logs_in_order(&[
        "task leader election FAILED: the lease is lost",
        "grace: after ",
        "leader election",
        "draining: ",
    ]);
    assert!(ended.summary().contains("the lease is lost"), "{}", ended.all());
}
