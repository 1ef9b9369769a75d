//! Requests and connections that are in flight when the drain begins.

use crate::serve;
use graceful_tests::{Client, Signal, pulse::on_a_responsive_machine};
use std::{
    io::ErrorKind,
    thread,
    time::{Duration, Instant},
};

#[test]
fn a_request_in_flight_gets_its_complete_response() {
    let mut app = serve().start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    app.begin_drain();
    app.send_line("release");
    let response = client.response();
    assert_eq!((response.status, response.body.as_str(), response.has_connection_close()), (200, "held\n", true));
    client.expect_close();
    let ended = app.end();
    ended.with_code(0).prints_in_order(&["the hook has run"]);
    ended.logs_in_order(&["draining: waiting up to 5s for main, connections on", "hooks: nothing is in flight"]);
}

#[test]
fn the_report_names_the_server_that_the_drain_waited_for_longest() {
    on_a_responsive_machine(|| {
        let app = serve().start();
        let mut client = app.client();
        client.send("/slow?ms=2000");
        app.prints("in /slow");
        app.begin_drain();
        assert_eq!(client.response().body, "slow\n");
        client.expect_close();
        let ended = app.end();
        let named = ", waited longest for connections on 127.0.0.1:";
        ended.with_code(0).logs_in_order(&[
            "hooks: nothing is in flight",
            "drained in ",
            named,
            "shutdown after SIGTERM",
        ]);
        assert!(ended.summary().contains(named), "{}", ended.all());
    });
}

#[test]
fn a_streamed_response_is_completed() {
    let mut app = serve().start();
    let mut client = app.client();
    client.send("/stream");
    assert!(client.read_until("first\n").unwrap().contains("200 OK"));
    app.begin_drain();
    app.send_line("release");
    client.read_until("last\n").unwrap();
    client.read_until("0\r\n\r\n").unwrap();
    client.expect_close();
    app.end().with_code(0);
}

#[test]
fn an_unfinished_response_is_cut_at_the_drain_deadline_and_counted() {
    let app = serve().env("GRACEFUL_DRAIN", "500ms").start();
    let address = app.ready();
    let mut clients: Vec<_> = (0..2).map(|_| app.client()).collect();
    for client in &mut clients {
        client.send("/stream");
        client.read_until("first\n").unwrap();
    }
    app.begin_drain();
    for client in &mut clients {
        client.expect_disconnect();
    }
    let ended = app.end();
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    assert!(
        ended.summary().contains(&format!("CUT: connections on {address} (2), still in flight")),
        "{}",
        ended.all()
    );
    // The server waits for its connections: it is not a loss of its own.
    ended.never_logs("CUT: server on");
}

#[test]
fn an_idle_connection_is_closed_when_the_drain_begins() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut client = app.client();
    assert_eq!(client.get("/fast").status, 200);
    app.begin_drain();
    let begun = Instant::now();
    client.expect_close();
    let ended = app.end();
    assert!(ended.at - begun < Duration::from_secs(8), "the drain waited for it");
    ended.with_code(0);
}

#[test]
fn a_silent_connection_does_not_delay_the_drain() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut silent = app.client();
    assert_eq!(app.client().get("/fast").status, 200);
    app.begin_drain();
    let begun = Instant::now();
    silent.expect_close();
    let ended = app.end();
    assert!(ended.at - begun < Duration::from_secs(8), "the drain waited for it");
    ended.with_code(0);
}

#[test]
fn a_new_connection_has_time_in_the_drain_to_send_its_request() {
    on_a_responsive_machine(|| {
        let app = serve().start();
        let mut fresh = app.client();
        assert_eq!(app.client().get("/fast").status, 200);
        app.begin_drain();
        let response = fresh.get("/fast");
        assert_eq!((response.status, response.has_connection_close()), (200, true));
        app.end().with_code(0);
    });
}

#[test]
fn the_drain_waits_until_an_upgraded_connection_is_closed() {
    let app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut client = app.client();
    client.write("GET /upgrade HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    assert!(client.read_until("\r\n\r\n").unwrap().starts_with("HTTP/1.1 101"));
    client.write("one\n");
    client.read_until("one\n").unwrap();
    app.begin_drain();
    app.logs("for main, connections on");
    // The connection outlives the idle connections in the drain.
    let mut idle = app.health();
    idle.set_port(app.address().port());
    while Client::connect(idle).is_ok() {}
    client.write("two\n");
    client.read_until("two\n").unwrap();
    client.shutdown_write();
    client.expect_close();
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn an_open_upgraded_connection_is_cut_at_the_drain_deadline() {
    on_a_responsive_machine(|| {
        is_cut_at_the_deadline("GET /upgrade HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    });
}

#[test]
fn an_open_connect_tunnel_is_cut_at_the_drain_deadline() {
    on_a_responsive_machine(|| {
        is_cut_at_the_deadline("CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere\r\n\r\n");
    });
}

/// A connection that speaks another protocol after `request` is cut at the drain deadline.
fn is_cut_at_the_deadline(request: &str) {
    let app = serve().env("GRACEFUL_DRAIN", "500ms").start();
    let mut client = app.client();
    client.write(request);
    client.read_until("\r\n\r\n").unwrap();
    client.write("one\n");
    client.read_until("one\n").unwrap();
    let drained = Instant::now();
    app.begin_drain();
    let ended = app.end();
    assert!(ended.at - drained < Duration::from_secs(5), "it took {:?}\n{}", ended.at - drained, ended.all());
    // The read of the connection's task ends before the hooks run.
    ended.with_code(3).prints_in_order(&["the other protocol ended: Err(ConnectionAborted)", "the hook has run"]);
    assert!(ended.summary().contains("CUT: connections on 127.0.0.1:"), "{}", ended.all());
    client.expect_disconnect();
}

#[test]
fn an_upgraded_connection_whose_owner_is_blocked_in_a_write_is_cut_at_the_drain_deadline() {
    on_a_responsive_machine(|| {
        let app = serve().env("GRACEFUL_DRAIN", "300ms").start();
        let mut client = app.client();
        client.write("GET /upgrade_and_push HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
        app.prints("pushes"); // until the socket's buffers are full: this client reads nothing
        app.begin_drain();
        let ended = app.end();
        ended.with_code(3).prints_in_order(&["the other protocol ended: Err(ConnectionAborted)", "the hook has run"]);
    });
}

#[test]
fn both_tasks_that_share_an_upgraded_connection_are_cut_at_the_drain_deadline() {
    on_a_responsive_machine(|| {
        let app = serve().env("GRACEFUL_DRAIN", "300ms").start();
        let mut client = app.client();
        client
            .write("GET /upgrade_in_two_tasks HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
        app.prints("writes until the buffers are full"); // this client neither reads nor sends
        app.begin_drain();
        let ended = app.end();
        ended.with_code(3).prints_in_order(&["the reader ended: Err(ConnectionAborted)", "the hook has run"]);
        ended.prints_in_order(&["the other protocol ended: Err(ConnectionAborted)", "the hook has run"]);
    });
}

#[test]
fn an_unpolled_upgraded_connection_does_not_delay_the_hooks_and_is_reported() {
    let app = serve().env("GRACEFUL_DRAIN", "500ms").start();
    let mut client = app.client();
    client.write("GET /upgrade_and_sit HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    client.read_until("\r\n\r\n").unwrap();
    app.prints("sits");
    let drained = Instant::now();
    app.begin_drain();
    let ended = app.end();
    assert!(ended.at - drained < Duration::from_secs(5), "it took {:?}\n{}", ended.at - drained, ended.all());
    ended.with_code(3).prints_in_order(&["the hook has run"]).logs_in_order(&[
        "CUT: connections on 127.0.0.1:",
        "did not end within 100ms of being cancelled",
        "hook 1 last_words",
    ]);
    client.expect_disconnect();
}

#[test]
fn a_keep_alive_client_is_asked_to_reconnect_in_grace_and_sees_no_failure() {
    let grace = Duration::from_millis(1600);
    let app = serve().env("GRACEFUL_GRACE", "1600ms").start();
    let address = app.ready();
    let mut client = app.client();
    for _ in 0..50 {
        assert!(!client.get("/fast").has_connection_close(), "`connection: close` before the shutdown");
    }
    let sent = app.begin_shutdown(Signal::TERM);
    let second_half = Instant::now() + grace / 2;
    let (mut kept, mut closed) = (0, 0);
    // The client reconnects when a response asks for it. With a load balancer it would reach another pod.
    while sent.elapsed() < grace {
        let request_sent = Instant::now();
        let response = client.get("/fast");
        assert_eq!(response.status, 200);
        if response.has_connection_close() {
            closed += 1;
            client.expect_close();
            match Client::connect(address) {
                Ok(fresh) => client = fresh,
                // Refused only after grace.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused && sent.elapsed() >= grace => break,
                Err(error) => panic!("{error:?} {:?} after the signal", sent.elapsed()),
            }
        } else {
            assert!(request_sent < second_half, "no `connection: close` {:?} after the signal", request_sent - sent);
            kept += 1;
        }
        thread::sleep(Duration::from_millis(2));
    }
    assert!(kept > 0 && closed > 0, "{kept} responses without, {closed} with `connection: close`");
    drop(client);
    app.end().with_code(0);
}

#[test]
fn a_panicking_handler_ends_its_connection_only() {
    let app = serve().start();
    app.client().try_get("/panics").unwrap_err();
    assert_eq!(app.client().get("/fast").status, 200);
    app.begin_drain();
    app.end().with_code(0).prints_in_order(&["the hook has run"]);
}
