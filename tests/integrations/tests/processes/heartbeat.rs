//! Liveness that follows the heartbeat of the runtime.

use crate::life;
use graceful_tests::{Signal, probe, wait_for};

#[test]
fn liveness_fails_while_the_runtime_of_main_runs_no_task_and_comes_back() {
    let mut app = life().env("HEARTBEAT_MS", "200").start();
    app.says("serving: ready");
    let health = app.health();
    wait_for(health, "/livez?verbose", 200, "[+] runtime ok\n");
    app.tell("block");
    app.prints("every worker is blocked");
    wait_for(health, "/livez", 503, "failing");
    wait_for(health, "/livez/runtime", 503, "failing");
    wait_for(health, "/livez?verbose", 503, "[-] runtime failing: the runtime of main has run no task for ");
    assert_eq!(probe(health, "/readyz").unwrap().status, 200, "readiness is another question");
    app.tell("release");
    wait_for(health, "/livez", 200, "ok");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn liveness_stays_to_the_end_of_a_shutdown_though_the_runtime_hangs() {
    let mut app = life().env("HEARTBEAT_MS", "200").env("GRACEFUL_GRACE", "1s").start();
    app.says("serving: ready");
    app.tell("block");
    app.prints("every worker is blocked");
    let health = app.health();
    wait_for(health, "/livez", 503, "failing");
    app.begin_shutdown(Signal::TERM);
    wait_for(health, "/livez", 200, "ok"); // a restart would only lose what is being finished
    app.says("draining: ");
    assert_eq!(probe(health, "/livez").unwrap().status, 200);
    app.end().with_code(3).says_in_order(&["CUT: 2 of task blocker"]);
}

#[test]
fn without_a_threshold_liveness_says_nothing_of_the_runtime() {
    let mut app = life().start();
    app.says("serving: ready");
    app.tell("block");
    app.prints("every worker is blocked");
    assert_eq!(probe(app.health(), "/livez/runtime").unwrap().status, 404);
    assert_eq!(probe(app.health(), "/livez").unwrap().status, 200);
    app.tell("release");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}
