//! Supervised tasks.

use crate::example;
use graceful_tests::Signal;

#[test]
fn a_task_is_restarted_and_another_only_missed() {
    let app = example!("supervised").start();
    app.says("serving: ready");
    app.prints("message 7"); // past two failures
    app.says("task cache warmer failed: no cache server; it is not restarted");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.says_in_order(&["task consumer failed: connection reset; it is restarted in 100ms", "restarted in 200ms"]);
    // A thread still reads stdin, and holds up nobody.
    ended.with_code(0).says_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn a_task_that_must_not_fail_ends_the_process_with_grace_and_is_named() {
    let mut app = example!("supervised").start();
    app.says("serving: ready");
    app.tell("");
    let ended = app.end();
    ended.with_code(3);
    ended.says_in_order(&[
        "task leader election FAILED: the lease is lost",
        "grace: after ",
        "leader election",
        "draining: ",
    ]);
    assert!(ended.summary().contains("the lease is lost"), "{}", ended.all());
}
