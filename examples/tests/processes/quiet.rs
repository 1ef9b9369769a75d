//! Grace that ends after a pause in traffic (`quiet`).

use crate::{example, traffic_address};
use graceful_tests::{App, Client, Poller, Running, Signal, Traffic, probe};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

fn quiet(example: App, grace: &str, quiet: &str, limit: &str) -> App {
    let example = example.env("GRACEFUL_GRACE", grace).env("GRACEFUL_QUIET", quiet).env("GRACEFUL_GRACE_LIMIT", limit);
    example.env("GRACEFUL_TERMINATION_GRACE_PERIOD", "2m")
}

#[test]
fn grace_ends_after_its_minimum_without_traffic() {
    let app = quiet(example!("hello"), "600ms", "300ms", "1m").start();
    let mut idle = Client::new(traffic_address(&app));
    idle.get("/");
    let sent = app.begin_shutdown(Signal::TERM);
    app.logs("serving goes on for 600ms to 1m, until nothing has arrived for 300ms");
    app.logs("draining: ");
    let took = sent.elapsed();
    assert!(took >= Duration::from_millis(600) && took < Duration::from_secs(20), "{took:?}");
    app.end().with_code(0);
}

#[test]
fn grace_continues_while_requests_arrive() {
    let app = quiet(example!("hello"), "100ms", "2s", "1m").start();
    let mut client = Client::new(traffic_address(&app));
    let sent = app.begin_shutdown(Signal::TERM);
    let mut last = Instant::now();
    while sent.elapsed() < Duration::from_secs(3) {
        last = Instant::now();
        if client.get("/").has_connection_close() {
            client = Client::new(traffic_address(&app));
        }
    }
    let seen = probe(app.health(), "/readyz?verbose").unwrap();
    assert!(seen.body.contains("phase: grace\n"), "{seen:?}");
    drop(client);
    app.logs("draining: ");
    let took = last.elapsed();
    assert!(took > Duration::from_millis(1900) && took < Duration::from_secs(20), "{took:?}");
    app.end().with_code(0);
}

#[test]
fn grace_continues_while_requests_arrive_under_the_layer() {
    let app = quiet(example!("axum_own_server"), "100ms", "2s", "1m").start();
    let to = traffic_address(&app);
    let sent = app.begin_shutdown(Signal::TERM);
    while sent.elapsed() < Duration::from_secs(3) {
        Client::new(to).get("/");
    }
    let seen = probe(app.health(), "/readyz?verbose").unwrap();
    assert!(seen.body.contains("phase: grace\n"), "{seen:?}");
    app.logs("draining: ");
    app.end().with_code(0);
}

#[test]
fn grace_ends_at_its_limit_despite_traffic() {
    let app = quiet(example!("hello"), "200ms", "1s", "1500ms").start();
    let traffic = Traffic::start(traffic_address(&app), "/", 2);
    let sent = app.begin_shutdown(Signal::TERM);
    app.logs("draining: ");
    let took = sent.elapsed();
    assert!(took >= Duration::from_millis(1500) && took < Duration::from_secs(20), "{took:?}");
    drop(traffic); // after the limit, connections are refused by design
    app.end().with_code(0);
}

/// Grace ends although this port is probed.
fn ends_despite_probes(app: App, port: fn(&Running) -> SocketAddr) {
    let app = quiet(app, "100ms", "500ms", "1m").start();
    traffic_address(&app);
    let poller = Poller::start(port(&app));
    poller.wait_for_polls(3);
    let sent = app.begin_shutdown(Signal::TERM);
    app.logs("draining: ");
    assert!(sent.elapsed() < Duration::from_secs(20), "{:?}", sent.elapsed());
    app.end().with_code(0);
    let (polls, _) = poller.end();
    assert!(polls.iter().filter(|poll| poll.ready.1.contains("phase: grace")).count() > 5, "{polls:?}");
}

#[test]
fn probes_are_not_traffic() {
    ends_despite_probes(example!("hello"), Running::health);
}

#[test]
fn probes_on_the_traffic_port_are_not_traffic() {
    ends_despite_probes(example!("axum"), traffic_address);
}

#[test]
fn a_limit_over_the_budget_refuses_to_start() {
    let app = quiet(example!("hello"), "1s", "1s", "110s");
    app.run().with_code(78).logs_in_order(&[
        "refused to start",
        "+ grace_limit               1m50s",
        "1s too long",
        "shorten grace_limit by 1s",
    ]);
}
