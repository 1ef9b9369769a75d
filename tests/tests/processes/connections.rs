//! Requests that are only half on the wire, and answers that come before the request is complete.

use crate::serve;
use graceful_tests::{Running, STALLED_BODY};
use std::time::{Duration, Instant};

/// Another request is in flight all the while, and is answered.
fn beside_a_held_request(mut app: Running, half_sent: &str, meanwhile: impl FnOnce(&mut graceful_tests::Client)) {
    let mut other = app.client();
    other.send("/held");
    app.prints("in /held");
    let mut slow = app.client();
    slow.write(half_sent);
    if half_sent.starts_with("POST") {
        app.prints("in /echo");
    }
    app.begin_drain();
    let begun = Instant::now();
    meanwhile(&mut slow);
    app.tell("release");
    assert_eq!(other.response().body, "held\n");
    let ended = app.end();
    assert!(ended.at - begun < Duration::from_secs(15), "the drain waited for it\n{}", ended.all());
    ended.with_code(0).prints_in_order(&["the hook has run"]);
}

#[test]
fn half_a_head_is_cut_at_its_timeout() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").env("TIMEOUTS_MS", "700").start();
    beside_a_held_request(app, "GET /fast HTTP/1.1\r\nHo", |slow| slow.is_cut());
}

#[test]
fn half_a_head_is_cut_after_half_of_the_drain_at_the_latest() {
    let app = serve().env("GRACEFUL_DRAIN", "1500ms").start();
    let mut slow = app.client();
    slow.write("GET /fast HTTP/1.1\r\nHo");
    app.begin_drain();
    slow.is_cut();
    app.end().with_code(0).says_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn half_a_body_is_cut_at_its_timeout() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").env("TIMEOUTS_MS", "700").start();
    beside_a_held_request(app, STALLED_BODY, |slow| slow.is_cut());
}

#[test]
fn half_a_body_is_cut_after_half_of_the_drain_at_the_latest() {
    let app = serve().env("GRACEFUL_DRAIN", "1500ms").start();
    let mut slow = app.client();
    slow.write(STALLED_BODY);
    app.prints("in /echo");
    app.begin_drain();
    slow.is_cut();
    app.end().with_code(0).says_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn half_a_head_is_cut_at_its_timeout_while_serving() {
    let app = serve().env("TIMEOUTS_MS", "300").start();
    let mut slow = app.client();
    slow.write("GET /fast HTTP/1.1\r\nHo");
    slow.is_cut();
    assert_eq!(app.client().get("/fast").status, 200);
    app.begin_drain();
    app.end().with_code(0);
}

#[test]
fn half_a_body_is_cut_at_its_timeout_while_serving() {
    let app = serve().env("TIMEOUTS_MS", "300").start();
    let mut slow = app.client();
    slow.write(STALLED_BODY);
    slow.is_cut();
    assert_eq!(app.client().get("/fast").status, 200);
    app.begin_drain();
    app.end().with_code(0);
}

#[test]
fn a_body_that_comes_slowly_but_steadily_is_not_cut() {
    let app = serve().env("TIMEOUTS_MS", "2500").start();
    let mut client = app.client();
    client.write("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n");
    app.prints("in /echo");
    app.signal(graceful_tests::Signal::TERM);
    for byte in "1234567890".chars() {
        // A pace, not a wait: twice the timeout in all, and never near it between two bytes.
        std::thread::sleep(Duration::from_millis(400));
        client.write(&byte.to_string());
    }
    assert_eq!(client.response().body, "1234567890");
    app.end().with_code(0);
}

#[test]
fn settings_of_hypers_own_are_changed_as_the_user_says() {
    let app = serve().env("KEEP_ALIVE", "no").start();
    let mut client = app.client();
    assert!(client.get("/fast").says_close());
    client.is_closed();
    app.begin_drain();
    app.end().with_code(0);
}

#[test]
fn half_of_a_second_head_that_is_completed_in_the_drain_is_answered() {
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
fn a_goodbye_reaches_a_client_that_has_pipelined_another_request() {
    let mut app = serve().start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    client.send("/fast");
    app.begin_drain();
    app.tell("release");
    // `connection: close` tells the client to repeat the second one elsewhere; a reset could destroy the first answer.
    let response = client.response();
    assert_eq!((response.body.as_str(), response.says_close()), ("held\n", true));
    client.is_closed();
    app.end().with_code(0);
}

const BODY: usize = 1 << 20;

/// Sends half of a body, reads the whole answer, goes on sending, and finds a clean end.
fn answered_early(client: &mut graceful_tests::Client, path: &str, before_the_answer: impl FnOnce()) {
    client.write(&format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {BODY}\r\n\r\n"));
    client.write(&"x".repeat(100_000));
    before_the_answer();
    let response = client.response();
    assert_eq!(response.status, 200, "{response:?}");
    client.write(&"x".repeat(100_000));
    client.finish();
    client.is_closed();
}

#[test]
fn an_answer_that_comes_before_the_body_is_sent_arrives_whole_and_without_a_reset() {
    let app = serve().start();
    for _ in 0..10 {
        answered_early(&mut app.client(), "/early", || {});
    }
    app.begin_drain();
    app.end().with_code(0);
}

#[test]
fn the_same_in_the_drain() {
    let mut app = serve().start();
    let mut client = app.client();
    client.write(&format!("POST /held HTTP/1.1\r\nHost: test\r\nContent-Length: {BODY}\r\n\r\n"));
    client.write(&"x".repeat(100_000));
    app.prints("in /held");
    app.begin_drain();
    app.tell("release");
    let response = client.response();
    assert_eq!((response.body.as_str(), response.says_close()), ("held\n", true));
    client.write(&"x".repeat(100_000));
    client.finish();
    client.is_closed();
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
    assert_eq!((response.body.as_str(), response.says_close()), ("1234567890", true));
    client.is_closed();
    app.end().with_code(0);
}
