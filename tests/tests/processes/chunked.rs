//! Connections after a chunked request, whose end the number of bytes doesn't determine.

use crate::serve;
use graceful_tests::{App, Client, Running, STALLED_BODY};

const CHUNKED: &str = "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

/// A connection after a chunked request.
fn client(app: &Running) -> Client {
    let mut client = app.client();
    client.write(CHUNKED);
    assert_eq!(client.response().body, "hello");
    client
}

/// A complete second request is held until another client, which started later, is cut for a partial body, and is then
/// served. `begin` runs in between.
fn held_longer_than_half_a_body(app: App, second_head: &str, second_body: &str, begin: impl FnOnce(&Running)) {
    let mut app = app.start();
    let mut client = client(&app);
    client.write(&format!("POST /echo_held HTTP/1.1\r\nHost: test\r\n{second_head}\r\n\r\n{second_body}"));
    app.prints("in /echo_held");
    app.prints("has the body of /echo_held");
    let mut clock = app.client();
    clock.write(STALLED_BODY);
    app.prints_times("in /echo", 3); // of the chunked request, the held one, and this one
    begin(&app);
    clock.expect_disconnect();
    app.send_line("release");
    assert_eq!(client.response().body.len(), 5000);
    app.signal(graceful_tests::Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn a_request_after_a_chunked_one_may_outlast_the_body_timeout() {
    let body = "y".repeat(5000);
    held_longer_than_half_a_body(serve().env("TIMEOUTS_MS", "300"), "Content-Length: 5000", &body, |_| {});
}

#[test]
fn a_request_after_a_chunked_one_may_outlast_half_of_the_drain() {
    let body = "y".repeat(5000);
    let app = serve().env("GRACEFUL_DRAIN", "5s");
    held_longer_than_half_a_body(app, "Content-Length: 5000", &body, Running::begin_drain);
}

#[test]
fn a_chunked_request_after_a_chunked_one_may_outlast_half_of_the_drain() {
    let body = format!("1388\r\n{}\r\n0\r\n\r\n", "y".repeat(5000));
    let app = serve().env("GRACEFUL_DRAIN", "5s");
    held_longer_than_half_a_body(app, "Transfer-Encoding: chunked", &body, Running::begin_drain);
}

#[test]
fn a_partial_head_after_a_chunked_request_completed_in_the_drain_is_served() {
    let app = serve().start();
    let mut clients: Vec<_> = (0..10).map(|_| client(&app)).collect();
    clients.iter_mut().for_each(|client| client.write("GET /fast HTTP/1.1\r\nHo"));
    let mut idle = app.client();
    assert_eq!(idle.get("/fast").status, 200);
    app.begin_drain();
    idle.expect_close(); // the server has processed every connection
    for client in &mut clients {
        client.write("st: test\r\n\r\n");
        client.last_response();
    }
    app.end().with_code(0);
}

#[test]
fn a_partial_head_after_a_chunked_request_is_cut_after_half_of_the_drain_at_the_latest() {
    let app = serve().env("GRACEFUL_DRAIN", "1500ms").start();
    let mut client = client(&app);
    client.write("GET /fast HTTP/1.1\r\nHo");
    app.begin_drain();
    client.expect_disconnect();
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn the_drain_closes_an_idle_connection_after_a_chunked_request() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut client = client(&app);
    app.begin_drain();
    client.expect_close();
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn a_client_that_has_its_response_and_keeps_its_side_open_is_not_reported_as_cut() {
    let mut app = serve().env("GRACEFUL_DRAIN", "900ms").start(); // shorter than a connection lingers
    let mut client = app.client();
    client.write(&CHUNKED.replace("/echo", "/echo_held"));
    app.prints("has the body of /echo_held");
    app.begin_drain();
    app.send_line("release");
    client.last_response();
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}
