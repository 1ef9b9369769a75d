//! Answers that begin before their requests' bodies have arrived, and stream into the drain.

use crate::serve;
use graceful_tests::{Client, Running};

/// The answer streams; the drain has begun; nobody reads the body.
fn streaming_in_the_drain(head: &str, body: &str) -> (Running, Client) {
    let app = serve().start();
    let mut client = app.client();
    client.write(&format!("POST /stream HTTP/1.1\r\nHost: test\r\n{head}\r\n\r\n"));
    assert!(client.until("first\n").unwrap().contains("200 OK"));
    app.begin_drain(); // hyper has looked for the body, and reads no more of it
    client.write(body);
    (app, client)
}

fn ends_cleanly((mut app, mut client): (Running, Client)) {
    app.tell("release");
    client.until("last\n").unwrap();
    client.until("0\r\n\r\n").unwrap();
    client.finish();
    client.is_closed();
    app.end().with_code(0).never_prints("in /smuggled");
}

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n";

#[test]
fn what_is_left_of_a_body_is_not_taken_for_a_request() {
    ends_cleanly(streaming_in_the_drain("Content-Length: 5000", SMUGGLED));
}

#[test]
fn what_is_left_of_a_chunked_body_is_not_taken_for_a_request() {
    ends_cleanly(streaming_in_the_drain("Transfer-Encoding: chunked", SMUGGLED));
}
