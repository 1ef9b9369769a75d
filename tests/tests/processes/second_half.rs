//! Connections in the second half of grace, where every answer whose head is still to come says `Connection: close`, and
//! no connection is closed before its client has read that.

use crate::{serve, serve_on_one_thread};
use graceful_tests::{Client, Running, Signal};
use std::{thread, time::Duration};

/// An app whose second half of grace has begun; what `before` has made is in flight.
fn second_half<T>(before: impl FnOnce(&Running) -> T) -> (Running, T) {
    let app = serve().env("GRACEFUL_GRACE", "4s").start();
    app.ready();
    let made = before(&app);
    let sent = app.begin_shutdown(Signal::TERM);
    // The clock of grace itself: nothing else says that half of it is over.
    thread::sleep(Duration::from_millis(2200).saturating_sub(sent.elapsed()));
    (app, made)
}

/// A connection that has had a request and its answer.
fn idle(app: &Running) -> Client {
    let mut client = app.client();
    assert!(!client.get("/fast").says_close());
    client
}

/// A connection that has had the first half of an answer that streams.
fn streaming(app: &Running) -> Client {
    let mut client = app.client();
    client.send("/stream");
    let head = client.until("first\n").unwrap();
    assert!(head.contains("200 OK") && !head.contains("connection: close"), "{head}");
    client
}

#[track_caller]
fn told(client: &mut Client, body: &str) {
    assert_eq!(client.last_response().body, body);
}

/// The rest of an answer that streams.
#[track_caller]
fn streams_to_its_end(app: &mut Running, client: &mut Client) {
    app.tell("release");
    client.until("last\n").unwrap();
    client.until("0\r\n\r\n").unwrap();
}

fn ends(app: Running) {
    app.end().with_code(0).says_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn an_idle_connection_is_not_closed_and_its_next_request_is_its_last() {
    let (app, mut client) = second_half(idle);
    client.send("/fast");
    told(&mut client, "fast\n");
    ends(app);
}

#[test]
fn who_sends_every_request_in_chunks_is_told_as_all_others_are() {
    const CHUNKED: &str =
        "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let (app, mut client) = second_half(|app| {
        let mut client = app.client();
        client.write(CHUNKED);
        assert!(!client.response().says_close());
        client
    });
    client.write(CHUNKED);
    told(&mut client, "hello");
    ends(app);
}

#[test]
fn a_stream_that_ends_in_grace_is_no_end_of_its_connection_and_the_next_request_is() {
    let (mut app, mut client) = second_half(streaming);
    streams_to_its_end(&mut app, &mut client);
    client.send("/fast");
    told(&mut client, "fast\n");
    ends(app);
}

#[test]
fn what_is_pipelined_behind_a_stream_before_grace_is_answered_when_the_stream_has_ended_in_it() {
    let (mut app, mut client) = second_half(|app| {
        let mut client = streaming(app);
        client.send("/echo");
        client
    });
    streams_to_its_end(&mut app, &mut client);
    told(&mut client, "");
    ends(app);
}

#[test]
fn what_is_pipelined_behind_a_stream_in_grace_is_answered_in_order() {
    let (mut app, mut client) = second_half(streaming);
    client.send("/held");
    streams_to_its_end(&mut app, &mut client);
    told(&mut client, "held\n");
    ends(app);
}

#[test]
fn what_is_pipelined_behind_a_stream_is_answered_when_the_stream_ends_in_the_drain() {
    let (mut app, mut client) = second_half(streaming);
    client.send("/held");
    app.says("draining: ");
    streams_to_its_end(&mut app, &mut client);
    told(&mut client, "held\n");
    ends(app);
}

#[test]
fn half_a_head_from_before_grace_is_completed_in_it() {
    let (app, [mut first, mut second]) = second_half(|app| {
        let mut clients = [app.client(), idle(app)];
        clients.iter_mut().for_each(|client| client.write("GET /fast HTTP/1.1\r\nHo"));
        clients
    });
    for client in [&mut first, &mut second] {
        client.write("st: test\r\n\r\n");
        told(client, "fast\n");
    }
    ends(app);
}

#[test]
fn a_request_that_comes_byte_by_byte_is_answered() {
    let (app, idle) = second_half(idle);
    for mut client in [app.client(), idle] {
        for byte in "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc".chars() {
            client.write(&byte.to_string());
        }
        told(&mut client, "abc");
    }
    ends(app);
}

#[test]
fn a_body_that_comes_in_parts_is_read_to_its_end() {
    let (app, mut idle) = second_half(idle);
    let (length, part) = (400_000, "x".repeat(40_000));
    idle.write(&format!("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n"));
    app.prints("in /echo");
    (0..10).for_each(|_| idle.write(&part));
    let response = idle.response();
    assert!(response.says_close() && response.body == "x".repeat(length), "{} bytes", response.body.len());
    idle.is_closed();
    ends(app);
}

#[test]
fn who_waits_for_100_continue_gets_it_and_then_the_answer() {
    let (app, mut idle) = second_half(idle);
    idle.write("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(idle.until("\r\n\r\n").unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    idle.write("abc");
    told(&mut idle, "abc");
    ends(app);
}

#[test]
fn a_chunked_request_is_answered() {
    let (app, mut idle) = second_half(idle);
    idle.write("POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
    app.prints("in /echo");
    idle.write("c\r\n0\r\n\r\n");
    told(&mut idle, "abc");
    ends(app);
}

#[test]
fn a_client_of_http_1_0_is_told_by_a_missing_keep_alive() {
    let request = "GET /fast HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let (app, mut client) = second_half(|app| {
        let mut client = app.client();
        client.write(request);
        let response = client.response();
        assert!(response.head.contains("connection: keep-alive"), "{response:?}");
        client
    });
    client.write(request);
    let response = client.response();
    assert!(!response.head.contains("keep-alive") && response.body == "fast\n", "{response:?}");
    client.is_closed();
    let mut without = app.client();
    without.write("GET /fast HTTP/1.0\r\n\r\n");
    assert_eq!(without.response().body, "fast\n");
    without.is_closed();
    ends(app);
}

const UPGRADE: &str = "GET /upgrade HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

/// The connection echoes, from the first byte behind the request on.
fn echoes(client: &mut Client) {
    client.write(&format!("{UPGRADE}one\n"));
    let head = client.until("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 101") && !head.contains("close"), "{head}");
    client.until("one\n").unwrap();
    client.write("two\n");
    client.until("two\n").unwrap();
    client.finish();
    client.is_closed();
}

#[test]
fn an_upgrade_is_accepted_and_nothing_behind_it_is_lost() {
    let (app, mut idle) = second_half(idle);
    echoes(&mut idle);
    echoes(&mut app.client());
    ends(app);
}

#[test]
fn an_upgrade_is_accepted_in_the_drain() {
    let app = serve().start();
    let (mut held, mut fresh) = (app.client(), app.client());
    held.send("/held"); // the drain goes on meanwhile
    app.prints("in /held");
    app.begin_drain();
    echoes(&mut fresh);
    drop(held);
    ends(app);
}

#[test]
fn what_an_upgraded_connection_says_is_its_own_even_if_it_looks_like_an_answer() {
    let (app, mut client) = second_half(|app| {
        let mut client = app.client();
        client.write(UPGRADE);
        client.until("\r\n\r\n").unwrap();
        client.write("HTTP/1.1 200 OK\r\n"); // as through a tunnel of CONNECT
        client.until("HTTP/1.1 200 OK\r\n").unwrap();
        client
    });
    client.write("more\n");
    client.until("more\n").unwrap();
    client.finish();
    client.is_closed();
    ends(app);
}

const OFFER: &str = "GET /fast HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings\r\n\
    Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n\r\n";

/// A connection whose client has offered another protocol, which nobody wanted.
fn declined(app: &Running) -> Client {
    let mut client = app.client();
    client.write(OFFER);
    assert_eq!(client.response().body, "fast\n");
    client
}

#[test]
fn a_client_that_offers_h2c_with_each_request_is_told_as_all_others() {
    let (app, clients) = second_half(|app| [idle(app), app.client(), declined(app)]);
    for mut client in clients {
        client.write(OFFER);
        told(&mut client, "fast\n");
    }
    ends(app);
}

#[test]
fn who_once_offered_an_upgrade_in_vain_is_answered_and_told_as_all_others() {
    let (app, [mut whole, mut half]) = second_half(|app| {
        let mut clients = [declined(app), declined(app)];
        clients[1].write("GET /fast HTTP/1.1\r\nHo");
        clients
    });
    whole.send("/fast");
    told(&mut whole, "fast\n");
    half.write("st: test\r\n\r\n");
    told(&mut half, "fast\n");
    ends(app);
}

#[test]
fn who_once_offered_an_upgrade_in_vain_is_closed_by_the_drain_only_if_nothing_waits_in_its_socket() {
    let mut app = serve_on_one_thread().start();
    let (mut idle, mut sends) = (declined(&app), declined(&app));
    app.tell("block");
    app.prints("every worker is blocked");
    sends.send("/fast");
    app.begin_drain();
    app.tell("release");
    told(&mut sends, "fast\n");
    idle.is_closed();
    ends(app);
}
