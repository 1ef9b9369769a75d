//! Health checks.

use crate::{example, traffic_address};
use graceful_tests::{Client, Running, Signal, probe, wait_for};

fn post(app: &Running, path: &str) {
    let mut client = Client::new(traffic_address(app));
    client.write(&format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(client.response().status, 200);
}

#[test]
fn a_failing_check_makes_the_app_unready_and_requests_still_succeed() {
    let app = example!("checks").start();
    let (to, health) = (traffic_address(&app), app.health());
    wait_for(health, "/readyz", 200, "ok");
    wait_for(health, "/startupz", 200, "ok");
    wait_for(health, "/readyz?verbose", 200, "ok\nphase: serving\n[+] db ok\n");
    wait_for(health, "/livez?verbose", 200, "[+] disk ok\n[+] runtime ok\n");
    post(&app, "/break");
    wait_for(health, "/readyz", 503, "failing");
    wait_for(health, "/readyz?verbose", 503, "[-] db failing: connection refused\n");
    app.logs("connection refused");
    let status = |path| probe(health, path).unwrap().status;
    assert_eq!((status("/readyz/db"), status("/readyz?exclude=db"), status("/readyz?exclude=disk")), (503, 200, 503));
    assert_eq!((status("/livez"), status("/livez/disk"), status("/startupz")), (200, 200, 200));
    let unknown = probe(health, "/readyz/queue").unwrap();
    assert_eq!((unknown.status, &*unknown.body), (404, "there is no readiness check queue; there are: db\n"));
    assert_eq!(Client::new(to).get("/").status, 200);
    post(&app, "/repair");
    wait_for(health, "/readyz/db", 200, "ok");
    wait_for(health, "/readyz", 200, "ok");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn a_failing_check_does_not_change_the_shutdown() {
    let app = example!("checks").start();
    let health = app.health();
    post(&app, "/break");
    wait_for(health, "/readyz", 503, "failing");
    app.begin_shutdown(Signal::TERM);
    wait_for(health, "/readyz", 503, "draining");
    app.end().with_code(0).logs_in_order(&["grace: after SIGTERM", "draining: ", "hooks: nothing is in flight"]);
}
