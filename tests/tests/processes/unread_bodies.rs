//! Responses that begin before the request bodies arrive and stream into the drain.

use crate::serve;
use graceful_tests::{Client, Running};

/// A streamed response in the drain to a request whose body is not read.
fn streaming_in_the_drain(head: &str, body: &str) -> (Running, Client) {
    let app = serve().start();
    let mut client = app.client();
    client.write(&format!("POST /stream HTTP/1.1\r\nHost: test\r\n{head}\r\n\r\n"));
    assert!(client.read_until("first\n").unwrap().contains("200 OK"));
    app.begin_drain(); // hyper has checked for the body and doesn't read it further
    client.write(body);
    (app, client)
}

fn ends_cleanly((mut app, mut client): (Running, Client)) {
    app.send_line("release");
    client.read_until("last\n").unwrap();
    client.read_until("0\r\n\r\n").unwrap();
    client.shutdown_write();
    client.expect_close();
    app.end().with_code(0).never_prints("in /smuggled");
}

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n";

#[test]
fn the_rest_of_an_unread_body_is_not_a_request() {
    ends_cleanly(streaming_in_the_drain("Content-Length: 5000", SMUGGLED));
}

#[test]
fn the_rest_of_an_unread_chunked_body_is_not_a_request() {
    ends_cleanly(streaming_in_the_drain("Transfer-Encoding: chunked", SMUGGLED));
}
