//! Liveness with the heartbeat of the runtime.

use crate::lifecycle;
use graceful_tests::{Signal, probe, wait_for};

#[test]
fn liveness_fails_while_the_runtime_of_main_runs_no_task_and_recovers() {
    let mut app = lifecycle().env("HEARTBEAT_MS", "200").start();
    app.logs("serving: ready");
    let health = app.health();
    wait_for(health, "/livez?verbose", 200, "[+] runtime ok\n");
    app.send_line("block");
    app.prints("every worker is blocked");
    wait_for(health, "/livez", 503, "failing");
    wait_for(health, "/livez/runtime", 503, "failing");
    wait_for(health, "/livez?verbose", 503, "[-] runtime failing: the runtime of main has run no task for ");
    assert_eq!(probe(health, "/readyz").unwrap().status, 200, "readiness is another question");
    app.send_line("release");
    wait_for(health, "/livez", 200, "ok");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn liveness_passes_during_a_shutdown_although_the_runtime_hangs() {
    let mut app = lifecycle().env("HEARTBEAT_MS", "200").env("GRACEFUL_GRACE", "1s").start();
    app.logs("serving: ready");
    app.send_line("block");
    app.prints("every worker is blocked");
    let health = app.health();
    wait_for(health, "/livez", 503, "failing");
    app.begin_shutdown(Signal::TERM);
    wait_for(health, "/livez", 200, "ok"); // a restart would lose the requests in flight
    app.logs("draining: ");
    assert_eq!(probe(health, "/livez").unwrap().status, 200);
    app.end().with_code(3).logs_in_order(&["CUT: task blocker (2)"]);
}

#[test]
fn without_a_heartbeat_liveness_ignores_the_runtime() {
    let mut app = lifecycle().start();
    app.logs("serving: ready");
    app.send_line("block");
    app.prints("every worker is blocked");
    assert_eq!(probe(app.health(), "/livez/runtime").unwrap().status, 404);
    assert_eq!(probe(app.health(), "/livez").unwrap().status, 200);
    app.send_line("release");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}
