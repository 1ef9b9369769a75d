//! Requests and connections that are in flight when the drain begins.

use crate::serve;
use graceful_tests::{Client, Signal};
use std::{
    io::ErrorKind,
    thread,
    time::{Duration, Instant},
};

#[test]
fn a_request_in_flight_is_answered_to_its_last_byte() {
    let mut app = serve().start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    app.begin_drain();
    app.tell("release");
    let response = client.response();
    assert_eq!((response.status, response.body.as_str(), response.says_close()), (200, "held\n", true));
    client.is_closed();
    let ended = app.end();
    ended.with_code(0).prints_in_order(&["the hook has run"]);
    ended.says_in_order(&["draining: waiting up to 5s for main, connections on", "hooks: nothing is in flight"]);
}

#[test]
fn the_server_whose_connection_the_drain_waited_for_longest_is_named() {
    let app = serve().start();
    let mut client = app.client();
    client.send("/slow?ms=2000");
    app.prints("in /slow");
    app.begin_drain();
    assert_eq!(client.response().body, "slow\n");
    client.is_closed();
    let ended = app.end();
    let named = ", waited longest for connections on 127.0.0.1:";
    ended.with_code(0).says_in_order(&["hooks: nothing is in flight", "drained in ", named, "shutdown after SIGTERM"]);
    assert!(ended.summary().contains(named), "{}", ended.all());
}

#[test]
fn a_response_that_streams_is_finished() {
    let mut app = serve().start();
    let mut client = app.client();
    client.send("/stream");
    assert!(client.until("first\n").unwrap().contains("200 OK"));
    app.begin_drain();
    app.tell("release");
    client.until("last\n").unwrap();
    client.until("0\r\n\r\n").unwrap();
    client.is_closed();
    app.end().with_code(0);
}

#[test]
fn a_response_that_does_not_end_is_cut_at_the_drain_deadline_and_counted() {
    let app = serve().env("GRACEFUL_DRAIN", "500ms").start();
    let mut clients: Vec<_> = (0..2).map(|_| app.client()).collect();
    for client in &mut clients {
        client.send("/stream");
        client.until("first\n").unwrap();
    }
    app.begin_drain();
    for client in &mut clients {
        client.is_cut();
    }
    let ended = app.end();
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    assert!(ended.summary().contains("CUT: 2 of connections on 127.0.0.1:"), "{}", ended.all());
}

#[test]
fn an_idle_connection_is_closed_when_the_drain_begins() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut client = app.client();
    assert_eq!(client.get("/fast").status, 200);
    app.begin_drain();
    let begun = Instant::now();
    client.is_closed();
    let ended = app.end();
    assert!(ended.at - begun < Duration::from_secs(8), "the drain waited for it");
    ended.with_code(0);
}

#[test]
fn a_connection_that_never_sent_a_byte_does_not_hold_the_drain_up() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut silent = app.client();
    assert_eq!(app.client().get("/fast").status, 200);
    app.begin_drain();
    let begun = Instant::now();
    silent.is_closed();
    let ended = app.end();
    assert!(ended.at - begun < Duration::from_secs(8), "the drain waited for it");
    ended.with_code(0);
}

#[test]
fn a_new_connection_gets_a_moment_in_the_drain_to_send_its_request() {
    let app = serve().start();
    let mut fresh = app.client();
    assert_eq!(app.client().get("/fast").status, 200);
    app.begin_drain();
    let response = fresh.get("/fast");
    assert_eq!((response.status, response.says_close()), (200, true));
    app.end().with_code(0);
}

#[test]
fn an_upgraded_connection_is_waited_for_until_it_is_closed() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut client = app.client();
    client.write("GET /upgrade HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    assert!(client.until("\r\n\r\n").unwrap().starts_with("HTTP/1.1 101"));
    client.write("one\n");
    client.until("one\n").unwrap();
    app.begin_drain();
    app.says("for main, connections on");
    // It lives on in the drain, and past the idle ones.
    let mut idle = app.health();
    idle.set_port(app.address().port());
    while Client::connect(idle).is_ok() {}
    client.write("two\n");
    client.until("two\n").unwrap();
    client.finish();
    client.is_closed();
    app.end().with_code(0).says_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn an_upgraded_connection_that_stays_is_cut_at_the_deadline() {
    is_cut_at_the_deadline("GET /upgrade HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
}

#[test]
fn a_tunnel_of_a_proxy_that_stays_is_cut_at_the_deadline() {
    is_cut_at_the_deadline("CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere\r\n\r\n");
}

/// A connection that speaks another protocol after this request.
fn is_cut_at_the_deadline(request: &str) {
    let app = serve().env("GRACEFUL_DRAIN", "500ms").start();
    let mut client = app.client();
    client.write(request);
    client.until("\r\n\r\n").unwrap();
    client.write("one\n");
    client.until("one\n").unwrap();
    let drained = Instant::now();
    app.begin_drain();
    let ended = app.end();
    assert!(ended.at - drained < Duration::from_secs(5), "it took {:?}\n{}", ended.at - drained, ended.all());
    // Its owner hears of it where it reads, before the hooks begin.
    ended.with_code(3).prints_in_order(&["the other protocol ended: Err(ConnectionAborted)", "the hook has run"]);
    assert!(ended.summary().contains("CUT: connections on 127.0.0.1:"), "{}", ended.all());
    client.is_cut();
}

#[test]
fn an_upgraded_connection_that_its_owner_forgets_does_not_hold_the_hooks_and_is_named() {
    let app = serve().env("GRACEFUL_DRAIN", "500ms").start();
    let mut client = app.client();
    client.write("GET /upgrade_and_sit HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    client.until("\r\n\r\n").unwrap();
    app.prints("sits");
    let drained = Instant::now();
    app.begin_drain();
    let ended = app.end();
    assert!(ended.at - drained < Duration::from_secs(5), "it took {:?}\n{}", ended.at - drained, ended.all());
    ended.with_code(3).prints_in_order(&["the hook has run"]).says_in_order(&[
        "CUT: connections on 127.0.0.1:",
        "did not give way",
        "hook 1 last_words",
    ]);
    client.is_cut();
}

#[test]
fn a_keep_alive_client_is_told_to_move_in_the_second_half_of_grace_and_sees_no_failure() {
    let grace = Duration::from_millis(1600);
    let app = serve().env("GRACEFUL_GRACE", "1600ms").start();
    let address = app.ready();
    let mut client = app.client();
    for _ in 0..50 {
        assert!(!client.get("/fast").says_close(), "told to move while nothing has begun");
    }
    let sent = app.begin_shutdown(Signal::TERM);
    let second_half = Instant::now() + grace / 2;
    let (mut stayed, mut moved) = (0, 0);
    // A client that obeys: it connects anew when it is told to. Elsewhere it would reach another pod.
    while sent.elapsed() < grace {
        let asked = Instant::now();
        let response = client.get("/fast");
        assert_eq!(response.status, 200);
        if response.says_close() {
            moved += 1;
            client.is_closed();
            match Client::connect(address) {
                Ok(fresh) => client = fresh,
                // Only once grace is over.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused && sent.elapsed() >= grace => break,
                Err(error) => panic!("{error:?} {:?} after the signal", sent.elapsed()),
            }
        } else {
            assert!(asked < second_half, "not told to move {:?} after the signal", asked - sent);
            stayed += 1;
        }
        thread::sleep(Duration::from_millis(2));
    }
    assert!(stayed > 0 && moved > 0, "{stayed} answers without, {moved} with `connection: close`");
    drop(client);
    app.end().with_code(0);
}

#[test]
fn a_handler_that_panics_ends_its_connection_and_nothing_else() {
    let app = serve().start();
    app.client().try_get("/panics").unwrap_err();
    assert_eq!(app.client().get("/fast").status, 200);
    app.begin_drain();
    app.end().with_code(0).prints_in_order(&["the hook has run"]);
}
