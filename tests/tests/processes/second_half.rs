//! The second half of grace: every response whose head is not yet written has `Connection: close`, and no connection
//! is closed before its client has read such a response.

use crate::{serve, serve_on_one_thread};
use graceful_tests::{Client, Running, Signal, pulse::on_a_responsive_machine};
use std::{thread, time::Duration};

/// Starts an app, runs `before`, and waits until the second half of grace.
fn second_half<T>(before: impl FnOnce(&Running) -> T) -> (Running, T) {
    let app = serve().env("GRACEFUL_GRACE", "4s").start();
    app.ready();
    let made = before(&app);
    let sent = app.begin_shutdown(Signal::TERM);
    // Measures grace by the clock, because no event marks its second half.
    thread::sleep(Duration::from_millis(2200).saturating_sub(sent.elapsed()));
    (app, made)
}

/// A keep-alive connection after one request.
fn idle(app: &Running) -> Client {
    let mut client = app.client();
    assert!(!client.get("/fast").has_connection_close());
    client
}

/// A connection that has received the first half of a streamed response.
fn streaming(app: &Running) -> Client {
    let mut client = app.client();
    client.send("/stream");
    let head = client.read_until("first\n").unwrap();
    assert!(head.contains("200 OK") && !head.contains("connection: close"), "{head}");
    client
}

#[track_caller]
fn expect_connection_close(client: &mut Client, body: &str) {
    assert_eq!(client.last_response().body, body);
}

/// Receives the rest of a streamed response.
#[track_caller]
fn streams_to_its_end(app: &mut Running, client: &mut Client) {
    app.send_line("release");
    client.read_until("last\n").unwrap();
    client.read_until("0\r\n\r\n").unwrap();
}

fn ends(app: Running) {
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn an_idle_connection_stays_open_and_its_next_response_has_connection_close() {
    let (app, mut client) = second_half(idle);
    client.send("/fast");
    expect_connection_close(&mut client, "fast\n");
    ends(app);
}

#[test]
fn a_client_with_chunked_requests_receives_connection_close() {
    const CHUNKED: &str =
        "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let (app, mut client) = second_half(|app| {
        let mut client = app.client();
        client.write(CHUNKED);
        assert!(!client.response().has_connection_close());
        client
    });
    client.write(CHUNKED);
    expect_connection_close(&mut client, "hello");
    ends(app);
}

#[test]
fn a_connection_survives_the_end_of_a_stream_and_its_next_response_has_connection_close() {
    let (mut app, mut client) = second_half(streaming);
    streams_to_its_end(&mut app, &mut client);
    client.send("/fast");
    expect_connection_close(&mut client, "fast\n");
    ends(app);
}

#[test]
fn a_request_pipelined_before_grace_is_served_when_the_stream_ends_in_grace() {
    let (mut app, mut client) = second_half(|app| {
        let mut client = streaming(app);
        client.send("/echo");
        client
    });
    streams_to_its_end(&mut app, &mut client);
    expect_connection_close(&mut client, "");
    ends(app);
}

#[test]
fn a_request_pipelined_in_grace_is_served_in_order() {
    let (mut app, mut client) = second_half(streaming);
    client.send("/held");
    streams_to_its_end(&mut app, &mut client);
    expect_connection_close(&mut client, "held\n");
    ends(app);
}

#[test]
fn a_pipelined_request_is_served_when_the_stream_ends_in_the_drain() {
    let (mut app, mut client) = second_half(streaming);
    client.send("/held");
    app.logs("draining: ");
    streams_to_its_end(&mut app, &mut client);
    expect_connection_close(&mut client, "held\n");
    ends(app);
}

#[test]
fn a_partial_head_from_before_grace_is_completed_in_grace() {
    let (app, [mut first, mut second]) = second_half(|app| {
        let mut clients = [app.client(), idle(app)];
        clients.iter_mut().for_each(|client| client.write("GET /fast HTTP/1.1\r\nHo"));
        clients
    });
    for client in [&mut first, &mut second] {
        client.write("st: test\r\n\r\n");
        expect_connection_close(client, "fast\n");
    }
    ends(app);
}

#[test]
fn a_request_that_arrives_byte_by_byte_is_served() {
    let (app, idle) = second_half(idle);
    for mut client in [app.client(), idle] {
        for byte in "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc".chars() {
            client.write(&byte.to_string());
        }
        expect_connection_close(&mut client, "abc");
    }
    ends(app);
}

#[test]
fn a_body_that_arrives_in_parts_is_read_to_its_end() {
    let (app, mut idle) = second_half(idle);
    let (length, part) = (400_000, "x".repeat(40_000));
    idle.write(&format!("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n"));
    app.prints("in /echo");
    (0..10).for_each(|_| idle.write(&part));
    let response = idle.response();
    assert!(response.has_connection_close() && response.body == "x".repeat(length), "{} bytes", response.body.len());
    idle.expect_close();
    ends(app);
}

#[test]
fn a_client_that_expects_100_continue_receives_it_and_then_the_response() {
    let (app, mut idle) = second_half(idle);
    idle.write("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(idle.read_until("\r\n\r\n").unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    idle.write("abc");
    expect_connection_close(&mut idle, "abc");
    ends(app);
}

#[test]
fn a_chunked_request_is_served() {
    let (app, mut idle) = second_half(idle);
    idle.write("POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
    app.prints("in /echo");
    idle.write("c\r\n0\r\n\r\n");
    expect_connection_close(&mut idle, "abc");
    ends(app);
}

#[test]
fn an_http_1_0_client_receives_no_keep_alive_header() {
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
    client.expect_close();
    let mut without = app.client();
    without.write("GET /fast HTTP/1.0\r\n\r\n");
    assert_eq!(without.response().body, "fast\n");
    without.expect_close();
    ends(app);
}

const UPGRADE: &str = "GET /upgrade HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

/// The connection echoes from the first byte after the request on.
fn echoes(client: &mut Client) {
    client.write(&format!("{UPGRADE}one\n"));
    let head = client.read_until("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 101") && !head.contains("close"), "{head}");
    client.read_until("one\n").unwrap();
    client.write("two\n");
    client.read_until("two\n").unwrap();
    client.shutdown_write();
    client.expect_close();
}

#[test]
fn an_upgrade_is_accepted_and_bytes_after_the_request_reach_the_protocol() {
    let (app, mut idle) = second_half(idle);
    echoes(&mut idle);
    echoes(&mut app.client());
    ends(app);
}

#[test]
fn an_upgrade_is_accepted_in_the_drain() {
    on_a_responsive_machine(|| {
        let app = serve().start();
        let (mut held, mut fresh) = (app.client(), app.client());
        held.send("/held"); // keeps the drain open
        app.prints("in /held");
        app.begin_drain();
        echoes(&mut fresh);
        drop(held);
        ends(app);
    });
}

#[test]
fn bytes_of_an_upgraded_connection_that_look_like_a_response_are_not_interpreted() {
    let (app, mut client) = second_half(|app| {
        let mut client = app.client();
        client.write(UPGRADE);
        client.read_until("\r\n\r\n").unwrap();
        client.write("HTTP/1.1 200 OK\r\n"); // as through a CONNECT tunnel
        client.read_until("HTTP/1.1 200 OK\r\n").unwrap();
        client
    });
    client.write("more\n");
    client.read_until("more\n").unwrap();
    client.shutdown_write();
    client.expect_close();
    ends(app);
}

const OFFER: &str = "GET /fast HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings\r\n\
    Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n\r\n";

/// A connection whose client offered an upgrade that the handler declined.
fn declined(app: &Running) -> Client {
    let mut client = app.client();
    client.write(OFFER);
    assert_eq!(client.response().body, "fast\n");
    client
}

#[test]
fn a_client_that_offers_h2c_with_each_request_receives_connection_close() {
    let (app, clients) = second_half(|app| [idle(app), app.client(), declined(app)]);
    for mut client in clients {
        client.write(OFFER);
        expect_connection_close(&mut client, "fast\n");
    }
    ends(app);
}

#[test]
fn a_client_with_a_declined_upgrade_is_served_and_receives_connection_close() {
    let (app, [mut whole, mut half]) = second_half(|app| {
        let mut clients = [declined(app), declined(app)];
        clients[1].write("GET /fast HTTP/1.1\r\nHo");
        clients
    });
    whole.send("/fast");
    expect_connection_close(&mut whole, "fast\n");
    half.write("st: test\r\n\r\n");
    expect_connection_close(&mut half, "fast\n");
    ends(app);
}

#[test]
fn after_a_declined_upgrade_the_drain_closes_the_connection_only_without_unread_bytes() {
    let mut app = serve_on_one_thread().start();
    let (mut idle, mut sends) = (declined(&app), declined(&app));
    app.send_line("block");
    app.prints("every worker is blocked");
    sends.send("/fast");
    app.begin_drain();
    app.send_line("release");
    expect_connection_close(&mut sends, "fast\n");
    idle.expect_close();
    ends(app);
}
