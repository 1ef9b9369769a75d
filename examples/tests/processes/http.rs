//! Every example that serves HTTP goes through its whole shutdown without a failed request.

use crate::{example, traffic_of};
use graceful_tests::{App, Client, Signal, Traffic, probe, wait_for};

/// What is in flight when the drain begins.
#[derive(Clone, Copy)]
enum InFlight {
    /// A handler that takes its time.
    Slow,
    /// A request of which half has arrived.
    HalfARequest,
}

fn loses_nothing(example: App, in_flight: InFlight) {
    let app = example.start();
    let to = traffic_of(&app);
    let traffic = Traffic::start(to, "/", 3);
    traffic.goes_on(50);
    let mut slow = Client::new(to);
    wait_for(app.health(), "/readyz", 200, ""); // its checks have run

    app.begin_shutdown(Signal::TERM);
    wait_for(app.health(), "/readyz", 503, "draining");
    traffic.goes_on(50);
    match in_flight {
        InFlight::Slow => slow.send("/slow"),
        InFlight::HalfARequest => slow.write("GET / HTTP/1.1\r\nHost: te"),
    }
    traffic.lost_nothing();

    app.says("draining: ");
    assert_eq!(probe(app.health(), "/livez").unwrap().status, 200);
    if matches!(in_flight, InFlight::HalfARequest) {
        slow.write("st\r\n\r\n");
    }
    let response = slow.response();
    assert!(response.status == 200 && response.says_close(), "{response:?}");
    slow.is_closed();
    app.end().with_code(0).says_in_order(&["draining: waiting", "main returned", "hooks: nothing is in flight"]);
}

#[test]
fn hello_loses_nothing() {
    loses_nothing(example!("hello"), InFlight::HalfARequest);
}

#[test]
fn axum_loses_nothing() {
    loses_nothing(example!("axum"), InFlight::Slow);
}

#[test]
fn axum_loses_nothing_with_half_a_request() {
    loses_nothing(example!("axum"), InFlight::HalfARequest);
}

#[test]
fn axum_in_its_own_server_loses_nothing() {
    loses_nothing(example!("axum_own_server"), InFlight::Slow);
}

#[test]
fn multi_loses_nothing() {
    loses_nothing(example!("multi"), InFlight::Slow);
}

#[test]
fn checks_lose_nothing() {
    loses_nothing(example!("checks"), InFlight::HalfARequest);
}

#[test]
fn custom_answers_lose_nothing() {
    loses_nothing(example!("custom_answers"), InFlight::HalfARequest);
}

#[test]
fn systemd_loses_nothing() {
    loses_nothing(example!("systemd").env("GRACEFUL_HEALTH", "127.0.0.1:0"), InFlight::Slow);
}

#[test]
fn a_request_under_the_layer_that_does_not_end_is_cut_at_the_drain_deadline_and_named() {
    let app = example!("axum_own_server").env("GRACEFUL_GRACE", "0s").env("GRACEFUL_DRAIN", "500ms").start();
    let mut slow = Client::new(traffic_of(&app));
    slow.send("/slow");
    wait_for(app.health(), "/readyz?verbose", 200, "in flight: 1 requests under the tower layer\n");
    app.signal(Signal::TERM);
    let ended = app.end();
    slow.is_cut();
    ended.with_code(3).says_in_order(&["draining: waiting up to 500ms for main, requests under the tower layer"]);
    assert!(ended.summary().contains("CUT: requests under the tower layer"), "{}", ended.all());
}

#[test]
fn a_handler_of_axum_gets_the_context_and_its_client() {
    let app = example!("axum").start();
    let mut client = Client::new(traffic_of(&app));
    assert!(client.get("/").body.ends_with(", I am serving\n"));
    app.begin_shutdown(Signal::TERM);
    let body = client.get("/").body;
    assert!(body.starts_with("hello 127.0.0.1:") && body.ends_with(", I am grace\n"), "{body}");
    app.end().with_code(0);
}

#[test]
fn the_probes_of_axum_are_answered_on_the_port_of_the_traffic() {
    let app = example!("axum").start();
    let to = traffic_of(&app);
    for (path, status) in
        [("/livez", 200), ("/readyz", 200), ("/startupz", 200), ("/healthz?verbose", 200), ("/readyz/db", 404)]
    {
        assert_eq!(probe(to, path).unwrap().status, status, "{path}");
    }
    app.begin_shutdown(Signal::TERM);
    wait_for(to, "/readyz", 503, "draining");
    assert_eq!(probe(to, "/livez").unwrap().status, 200);
    app.end().with_code(0);
}
