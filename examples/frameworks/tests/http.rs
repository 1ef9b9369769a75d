//! Servers of other frameworks fail no request during a shutdown.

use graceful_tests::{App, Client, Running, Signal, Traffic, probe};
use std::net::SocketAddr;

fn start(executable: &str) -> (Running, SocketAddr) {
    let app = App::new(executable).env("LISTEN", "127.0.0.1:0").env("GRACEFUL_GRACE", "1800ms").start(); // shorter than /slow
    app.logs("serving: ready");
    let line = app.prints("serving on http://");
    let address = line.split("://").nth(1).and_then(|address| address.parse().ok());
    (app, address.expect("the line ends with an address"))
}

fn fails_no_request(executable: &str) {
    let (app, to) = start(executable);
    let traffic = Traffic::start(to, "/", 3);
    traffic.wait_for_responses(50);
    let mut slow = Client::new(to);
    assert_eq!(slow.get("/").status, 200);
    let readiness = || probe(app.health(), "/readyz").expect("the health server responds").status;
    assert_eq!(readiness(), 200);

    app.begin_shutdown(Signal::TERM);
    assert_eq!(readiness(), 503);
    traffic.wait_for_responses(50);
    slow.send("/slow");
    traffic.expect_no_failures();

    app.logs("draining: ");
    assert_eq!(readiness(), 503);
    let response = slow.response();
    assert!(response.status == 200 && response.has_connection_close(), "{response:?}");
    slow.expect_close();
    app.end().with_code(0).logs_in_order(&["draining: waiting", "main returned", "hooks: nothing is in flight"]);
}

/// A server that waits for idle connections would be cut at the drain deadline.
fn closes_idle_connections(executable: &str) {
    let (app, to) = start(executable);
    let mut idle = Client::new(to);
    idle.get("/");
    app.begin_drain();
    idle.expect_close();
    app.end().with_code(0);
}

#[test]
fn actix_fails_no_request() {
    fails_no_request(env!("CARGO_BIN_EXE_actix"));
}

#[test]
fn rocket_fails_no_request() {
    fails_no_request(env!("CARGO_BIN_EXE_rocket"));
}

#[test]
fn poem_fails_no_request() {
    fails_no_request(env!("CARGO_BIN_EXE_poem"));
}

#[test]
fn actix_closes_idle_connections() {
    closes_idle_connections(env!("CARGO_BIN_EXE_actix"));
}

#[test]
fn rocket_closes_idle_connections() {
    closes_idle_connections(env!("CARGO_BIN_EXE_rocket"));
}

#[test]
fn poem_closes_idle_connections() {
    closes_idle_connections(env!("CARGO_BIN_EXE_poem"));
}
