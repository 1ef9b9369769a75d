//! Every example that serves HTTP fails no request during a shutdown.

use crate::{example, traffic_address};
use graceful_tests::{App, Client, Signal, Traffic, probe, wait_for};

/// The request in flight when the drain begins.
#[derive(Clone, Copy)]
enum InFlight {
    /// A complete request with a slow handler.
    SlowHandler,
    /// A partially received request.
    PartialRequest,
}

fn fails_no_request(example: App, in_flight: InFlight) {
    let app = example.start();
    let to = traffic_address(&app);
    let traffic = Traffic::start(to, "/", 3);
    traffic.wait_for_responses(50);
    let mut slow = Client::new(to);
    wait_for(app.health(), "/readyz", 200, ""); // its checks ran

    app.begin_shutdown(Signal::TERM);
    wait_for(app.health(), "/readyz", 503, "draining");
    traffic.wait_for_responses(50);
    match in_flight {
        InFlight::SlowHandler => slow.send("/slow"),
        InFlight::PartialRequest => slow.write("GET / HTTP/1.1\r\nHost: te"),
    }
    traffic.expect_no_failures();

    app.logs("draining: ");
    assert_eq!(probe(app.health(), "/livez").unwrap().status, 200);
    if matches!(in_flight, InFlight::PartialRequest) {
        slow.write("st\r\n\r\n");
    }
    let response = slow.response();
    assert!(response.status == 200 && response.has_connection_close(), "{response:?}");
    slow.expect_close();
    app.end().with_code(0).logs_in_order(&["draining: waiting", "main returned", "hooks: nothing is in flight"]);
}

#[test]
fn hello_fails_no_request() {
    fails_no_request(example!("hello"), InFlight::PartialRequest);
}

#[test]
fn orders_fails_no_request() {
    fails_no_request(example!("orders").env("GRACEFUL_GRACE", "900ms"), InFlight::SlowHandler); // shorter than its /slow
}

#[test]
fn axum_fails_no_request() {
    fails_no_request(example!("axum"), InFlight::SlowHandler);
}

#[test]
fn axum_fails_no_partial_request() {
    fails_no_request(example!("axum"), InFlight::PartialRequest);
}

#[test]
fn axum_own_server_fails_no_request() {
    fails_no_request(example!("axum_own_server"), InFlight::SlowHandler);
}

#[test]
fn multi_fails_no_request() {
    fails_no_request(example!("multi"), InFlight::SlowHandler);
}

#[test]
fn checks_fails_no_request() {
    fails_no_request(example!("checks"), InFlight::PartialRequest);
}

#[test]
fn custom_probes_fails_no_request() {
    fails_no_request(example!("custom_probes"), InFlight::PartialRequest);
}

#[test]
fn systemd_fails_no_request() {
    fails_no_request(example!("systemd").env("GRACEFUL_HEALTH", "127.0.0.1:0"), InFlight::SlowHandler);
}

#[test]
fn an_unfinished_request_under_the_layer_is_cut_at_the_drain_deadline_and_reported() {
    let app = example!("axum_own_server").env("GRACEFUL_GRACE", "0s").env("GRACEFUL_DRAIN", "500ms").start();
    let mut slow = Client::new(traffic_address(&app));
    slow.send("/slow");
    wait_for(app.health(), "/readyz?verbose", 200, "in flight: 1 requests under the tower layer\n");
    app.signal(Signal::TERM);
    let ended = app.end();
    slow.expect_disconnect();
    ended.with_code(3).logs_in_order(&["draining: waiting up to 500ms for main, requests under the tower layer"]);
    assert!(ended.summary().contains("CUT: requests under the tower layer"), "{}", ended.all());
}

#[test]
fn an_axum_handler_extracts_the_context_and_the_client_address() {
    let app = example!("axum").start();
    let mut client = Client::new(traffic_address(&app));
    assert!(client.get("/").body.ends_with(", I am serving\n"));
    app.begin_shutdown(Signal::TERM);
    let body = client.get("/").body;
    assert!(body.starts_with("hello 127.0.0.1:") && body.ends_with(", I am grace\n"), "{body}");
    app.end().with_code(0);
}

#[test]
fn axum_serves_probes_on_the_traffic_port() {
    let app = example!("axum").start();
    let to = traffic_address(&app);
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
