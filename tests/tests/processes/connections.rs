//! Partial requests, and responses that begin before the request is complete.

use crate::serve;
use graceful_tests::{Running, STALLED_BODY};
use std::time::{Duration, Instant};

/// Runs `meanwhile` beside a request in flight, which then completes.
fn beside_a_held_request(mut app: Running, partial: &str, meanwhile: impl FnOnce(&mut graceful_tests::Client)) {
    let mut other = app.client();
    other.send("/held");
    app.prints("in /held");
    let mut slow = app.client();
    slow.write(partial);
    if partial.starts_with("POST") {
        app.prints("in /echo");
    }
    app.begin_drain();
    let begun = Instant::now();
    meanwhile(&mut slow);
    app.send_line("release");
    assert_eq!(other.response().body, "held\n");
    let ended = app.end();
    assert!(ended.at - begun < Duration::from_secs(15), "the drain waited for the partial request\n{}", ended.all());
    ended.with_code(0).prints_in_order(&["the hook has run"]);
}

#[test]
fn a_partial_head_is_cut_at_its_timeout() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").env("TIMEOUTS_MS", "700").start();
    beside_a_held_request(app, "GET /fast HTTP/1.1\r\nHo", |slow| slow.expect_disconnect());
}

#[test]
fn a_partial_head_is_cut_after_half_of_the_drain_at_the_latest() {
    let app = serve().env("GRACEFUL_DRAIN", "1500ms").start();
    let mut slow = app.client();
    slow.write("GET /fast HTTP/1.1\r\nHo");
    app.begin_drain();
    slow.expect_disconnect();
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn a_partial_body_is_cut_at_its_timeout() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").env("TIMEOUTS_MS", "700").start();
    beside_a_held_request(app, STALLED_BODY, |slow| slow.expect_disconnect());
}

#[test]
fn a_partial_body_is_cut_after_half_of_the_drain_at_the_latest() {
    let app = serve().env("GRACEFUL_DRAIN", "1500ms").start();
    let mut slow = app.client();
    slow.write(STALLED_BODY);
    app.prints("in /echo");
    app.begin_drain();
    slow.expect_disconnect();
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn the_report_counts_each_late_client_once() {
    let mut app = serve().env("GRACEFUL_DRAIN", "20s").env("TIMEOUTS_MS", "200").start();
    let (mut head, mut body, mut kept, mut silent) = (app.client(), app.client(), app.client(), app.client());
    // The body of this request is read after its response, so hyper does not close the connection at the timeout, though
    // every sweep finds the client late. The connection ends with its reader, uncut.
    kept.write("POST /keep HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n12345");
    assert_eq!(kept.response().body, "kept\n");
    app.signal(graceful_tests::Signal::TERM);
    kept.write("67890");
    head.write("GET /fast HTTP/1.1\r\nHo");
    body.write(STALLED_BODY);
    app.prints("in /echo");
    app.logs("draining: ");
    head.expect_disconnect();
    body.expect_disconnect();
    silent.expect_close(); // after 500 ms of the drain: more than one sweep
    app.send_line("release");
    kept.expect_disconnect();
    app.end().with_code(0).logs_in_order(&[" 2 connections on 127.0.0.1:", "were cut in the drain"]);
}

/// A connection with this partial request is cut at the timeout, and the server keeps serving.
fn is_cut_while_serving(partial: &str) {
    let app = serve().env("TIMEOUTS_MS", "300").start();
    let mut slow = app.client();
    slow.write(partial);
    slow.expect_disconnect();
    assert_eq!(app.client().get("/fast").status, 200);
    app.begin_drain();
    app.end().with_code(0);
}

#[test]
fn a_partial_head_is_cut_at_its_timeout_while_serving() {
    is_cut_while_serving("GET /fast HTTP/1.1\r\nHo");
}

#[test]
fn a_partial_body_is_cut_at_its_timeout_while_serving() {
    is_cut_while_serving(STALLED_BODY);
}

#[test]
fn a_slow_but_steady_body_is_not_cut() {
    let app = serve().env("TIMEOUTS_MS", "2500").start();
    let mut client = app.client();
    client.write("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n");
    app.prints("in /echo");
    app.signal(graceful_tests::Signal::TERM);
    for byte in "1234567890".chars() {
        // The pauses add up to twice the timeout, and none comes near it.
        std::thread::sleep(Duration::from_millis(400));
        client.write(&byte.to_string());
    }
    assert_eq!(client.response().body, "1234567890");
    app.end().with_code(0);
}

#[test]
fn the_settings_of_hyper_can_be_changed() {
    let app = serve().env("KEEP_ALIVE", "no").start();
    let mut client = app.client();
    assert!(client.get("/fast").has_connection_close());
    client.expect_close();
    app.begin_drain();
    app.end().with_code(0);
}

#[test]
fn a_partial_second_head_completed_in_the_drain_is_served() {
    let app = serve().start();
    let mut clients: Vec<_> = (0..10).map(|_| app.client()).collect();
    for client in &mut clients {
        assert_eq!(client.get("/fast").status, 200);
        client.write("GET /fast HTTP/1.1\r\nHo");
    }
    app.begin_drain();
    for client in &mut clients {
        client.write("st: test\r\n\r\n");
        client.last_response();
    }
    app.end().with_code(0);
}

#[test]
fn a_client_with_a_pipelined_request_receives_the_connection_close() {
    let mut app = serve().start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    client.send("/fast");
    app.begin_drain();
    app.send_line("release");
    // `connection: close` makes the client repeat the second request elsewhere; a reset could destroy the first response.
    let response = client.response();
    assert_eq!((response.body.as_str(), response.has_connection_close()), ("held\n", true));
    client.expect_close();
    app.end().with_code(0);
}

const BODY: usize = 1 << 20;

/// Sends half of a body, reads the complete response, sends the rest, and expects a clean close.
fn responds_early(client: &mut graceful_tests::Client, path: &str, before_response: impl FnOnce()) {
    client.write(&format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {BODY}\r\n\r\n"));
    client.write(&"x".repeat(100_000));
    before_response();
    let response = client.response();
    assert_eq!(response.status, 200, "{response:?}");
    client.write(&"x".repeat(100_000));
    client.shutdown_write();
    client.expect_close();
}

#[test]
fn an_early_response_is_complete_and_without_a_reset() {
    let app = serve().start();
    for _ in 0..10 {
        responds_early(&mut app.client(), "/early", || {});
    }
    app.begin_drain();
    app.end().with_code(0);
}

#[test]
fn an_early_response_in_the_drain_is_complete_and_without_a_reset() {
    let mut app = serve().start();
    let mut client = app.client();
    client.write(&format!("POST /held HTTP/1.1\r\nHost: test\r\nContent-Length: {BODY}\r\n\r\n"));
    client.write(&"x".repeat(100_000));
    app.prints("in /held");
    app.begin_drain();
    app.send_line("release");
    let response = client.response();
    assert_eq!((response.body.as_str(), response.has_connection_close()), ("held\n", true));
    client.write(&"x".repeat(100_000));
    client.shutdown_write();
    client.expect_close();
    app.end().with_code(0);
}

#[test]
fn a_complete_body_in_the_drain_is_handled() {
    let app = serve().start();
    let mut client = app.client();
    client.write("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n12345");
    app.prints("in /echo");
    app.begin_drain();
    client.write("67890");
    let response = client.response();
    assert_eq!((response.body.as_str(), response.has_connection_close()), ("1234567890", true));
    client.expect_close();
    app.end().with_code(0);
}
