//! Grace that ends when it is quiet.

use crate::{example, traffic_of};
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
fn it_ends_at_its_floor_when_nothing_comes() {
    let app = quiet(example!("hello"), "600ms", "300ms", "1m").start();
    let mut idle = Client::new(traffic_of(&app));
    idle.get("/");
    let sent = app.begin_shutdown(Signal::TERM);
    app.says("serving goes on for 600ms to 1m, until nothing has arrived for 300ms");
    app.says("draining: ");
    let took = sent.elapsed();
    assert!(took >= Duration::from_millis(600) && took < Duration::from_secs(20), "{took:?}");
    app.end().with_code(0);
}

#[test]
fn it_goes_on_while_requests_come() {
    let app = quiet(example!("hello"), "100ms", "2s", "1m").start();
    let mut client = Client::new(traffic_of(&app));
    let sent = app.begin_shutdown(Signal::TERM);
    while sent.elapsed() < Duration::from_secs(3) {
        if client.get("/").says_close() {
            client = Client::new(traffic_of(&app));
        }
    }
    let last = Instant::now();
    let seen = probe(app.health(), "/readyz?verbose").unwrap();
    assert!(seen.body.contains("phase: grace\n"), "{seen:?}");
    drop(client);
    app.says("draining: ");
    let took = last.elapsed();
    assert!(took > Duration::from_millis(1900) && took < Duration::from_secs(20), "{took:?}");
    app.end().with_code(0);
}

#[test]
fn it_goes_on_while_a_server_under_the_layer_has_requests() {
    let app = quiet(example!("axum_own_server"), "100ms", "2s", "1m").start();
    let to = traffic_of(&app);
    let sent = app.begin_shutdown(Signal::TERM);
    while sent.elapsed() < Duration::from_secs(3) {
        Client::new(to).get("/");
    }
    let seen = probe(app.health(), "/readyz?verbose").unwrap();
    assert!(seen.body.contains("phase: grace\n"), "{seen:?}");
    app.says("draining: ");
    app.end().with_code(0);
}

#[test]
fn it_ends_at_its_limit_whatever_comes() {
    let app = quiet(example!("hello"), "200ms", "1s", "1500ms").start();
    let traffic = Traffic::start(traffic_of(&app), "/", 2);
    let sent = app.begin_shutdown(Signal::TERM);
    app.says("draining: ");
    let took = sent.elapsed();
    assert!(took >= Duration::from_millis(1500) && took < Duration::from_secs(20), "{took:?}");
    drop(traffic); // what is refused now is refused by design
    app.end().with_code(0);
}

/// Grace ends although this app is probed here.
fn probed(app: App, port: fn(&Running) -> SocketAddr) {
    let app = quiet(app, "100ms", "500ms", "1m").start();
    traffic_of(&app);
    let poller = Poller::start(port(&app));
    poller.polls(3);
    let sent = app.begin_shutdown(Signal::TERM);
    app.says("draining: ");
    assert!(sent.elapsed() < Duration::from_secs(20), "{:?}", sent.elapsed());
    app.end().with_code(0);
    let (answers, _) = poller.end();
    assert!(answers.iter().filter(|answer| answer.ready.1.contains("phase: grace")).count() > 5, "{answers:?}");
}

#[test]
fn probes_are_not_traffic() {
    probed(example!("hello"), Running::health);
}

#[test]
fn probes_on_the_port_of_the_traffic_are_not_traffic_either() {
    probed(example!("axum"), traffic_of);
}

#[test]
fn a_limit_over_the_budget_is_refused() {
    let app = quiet(example!("hello"), "1s", "1s", "110s");
    app.run().with_code(78).says_in_order(&[
        "refused to start",
        "+ grace_limit               1m50s",
        "1s too long",
        "shorten grace_limit by 1s",
    ]);
}
