//! Connections whose first request was chunked: whether all of it has arrived, the number of bytes does not tell.

use crate::serve;
use graceful_tests::{App, Client, Running, STALLED_BODY};

const CHUNKED: &str = "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

/// A connection whose first request was chunked.
fn client(app: &Running) -> Client {
    let mut client = app.client();
    client.write(CHUNKED);
    assert_eq!(client.response().body, "hello");
    client
}

/// A complete second request is held until another client, which began later, has been cut for half a body; and is
/// answered. `begin` comes in between.
fn held_longer_than_half_a_body(app: App, second_head: &str, second_body: &str, begin: impl FnOnce(&Running)) {
    let mut app = app.start();
    let mut client = client(&app);
    client.write(&format!("POST /echo_held HTTP/1.1\r\nHost: test\r\n{second_head}\r\n\r\n{second_body}"));
    app.prints("in /echo_held");
    app.prints("has the body of /echo_held");
    let mut clock = app.client();
    clock.write(STALLED_BODY);
    app.prints_times("in /echo", 3); // of the chunked one, of the held one, and of this
    begin(&app);
    clock.is_cut();
    app.tell("release");
    assert_eq!(client.response().body.len(), 5000);
    app.signal(graceful_tests::Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn a_complete_request_behind_a_chunked_one_may_be_handled_for_longer_than_the_body_timeout() {
    let body = "y".repeat(5000);
    held_longer_than_half_a_body(serve().env("TIMEOUTS_MS", "300"), "Content-Length: 5000", &body, |_| {});
}

#[test]
fn a_complete_request_behind_a_chunked_one_may_be_handled_for_longer_than_half_of_the_drain() {
    let body = "y".repeat(5000);
    let app = serve().env("GRACEFUL_DRAIN", "5s");
    held_longer_than_half_a_body(app, "Content-Length: 5000", &body, Running::begin_drain);
}

#[test]
fn a_chunked_request_behind_a_chunked_one_may_be_handled_for_longer_than_half_of_the_drain() {
    let body = format!("1388\r\n{}\r\n0\r\n\r\n", "y".repeat(5000));
    let app = serve().env("GRACEFUL_DRAIN", "5s");
    held_longer_than_half_a_body(app, "Transfer-Encoding: chunked", &body, Running::begin_drain);
}

#[test]
fn half_a_head_behind_a_chunked_request_that_is_completed_in_the_drain_is_answered() {
    let app = serve().start();
    let mut clients: Vec<_> = (0..10).map(|_| client(&app)).collect();
    clients.iter_mut().for_each(|client| client.write("GET /fast HTTP/1.1\r\nHo"));
    let mut idle = app.client();
    assert_eq!(idle.get("/fast").status, 200);
    app.begin_drain();
    idle.is_closed(); // the server has looked at every connection
    for client in &mut clients {
        client.write("st: test\r\n\r\n");
        client.last_response();
    }
    app.end().with_code(0);
}

#[test]
fn half_a_head_behind_a_chunked_request_is_cut_after_half_of_the_drain_at_the_latest() {
    let app = serve().env("GRACEFUL_DRAIN", "1500ms").start();
    let mut client = client(&app);
    client.write("GET /fast HTTP/1.1\r\nHo");
    app.begin_drain();
    client.is_cut();
    app.end().with_code(0).says_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn an_idle_connection_whose_last_request_was_chunked_is_closed_by_the_drain() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut client = client(&app);
    app.begin_drain();
    client.is_closed();
    app.end().with_code(0).says_in_order(&["hooks: nothing is in flight"]);
}
