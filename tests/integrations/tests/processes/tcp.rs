//! A custom TCP protocol.

use graceful_tests::{App, Client, Running, Signal, probe};
use std::{thread, time::Duration};

fn start() -> (Running, Client) {
    let app = App::new(env!("CARGO_BIN_EXE_tcp")).env("GRACEFUL_GRACE", "2s").env("GRACEFUL_DRAIN", "3s").start();
    let client = Client::new(app.ready());
    (app, client)
}

#[track_caller]
fn echoes(client: &mut Client, line: &str) {
    client.write(line);
    assert_eq!(client.read_until("\n").unwrap(), line);
}

#[test]
fn connections_are_served_during_grace_and_finish_in_the_drain() {
    let (mut app, mut first) = start();
    echoes(&mut first, "one\n");
    app.begin_shutdown(Signal::TERM);
    echoes(&mut first, "two\n");
    let mut second = Client::new(app.address());
    echoes(&mut second, "three\n");
    app.logs(&format!("draining: waiting up to 3s for main, connections on {} (2)", app.address()));
    app.send_line("release");
    for client in [&mut first, &mut second] {
        assert_eq!(client.read_until("\n").unwrap(), "finished\n");
        client.expect_close();
    }
    let ended = app.end();
    ended.with_code(0).logs_in_order(&["main returned", "hooks: nothing is in flight"]);
    ended.prints_in_order(&["the hook has run"]);
}

#[test]
fn an_unfinished_handler_is_cut_at_the_drain_deadline_and_reported() {
    let (mut app, mut stays) = start();
    stays.write("stay\n");
    app.prints("received stay");
    let mut other = Client::new(app.address());
    echoes(&mut other, "one\n");
    app.begin_drain();
    app.send_line("release");
    assert_eq!(other.read_until("\n").unwrap(), "finished\n");
    stays.expect_disconnect();
    let ended = app.end();
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    assert!(ended.summary().contains("CUT: connections on 127.0.0.1:"), "{}", ended.all());
}

#[test]
fn a_panicking_handler_ends_its_connection_only() {
    let (app, mut panics) = start();
    panics.write("panic\n");
    panics.expect_disconnect();
    let mut other = Client::new(app.address());
    echoes(&mut other, "one\n");
    drop(other);
    app.signal(Signal::TERM);
    app.end().with_code(0).logs_in_order(&["the handler panics", "hooks: nothing is in flight"]);
}

#[test]
fn connections_over_the_limit_wait_in_the_accept_queue() {
    let app = App::new(env!("CARGO_BIN_EXE_tcp")).env("MAX_CONNECTIONS", "1").start();
    let (mut first, mut second) = (Client::new(app.ready()), Client::new(app.address()));
    second.write("second\n");
    for _ in 0..100 {
        echoes(&mut first, "first\n");
    }
    assert!(!app.so_far().contains("received second"), "{}", app.so_far());
    drop(first);
    assert_eq!(second.read_until("\n").unwrap(), "second\n");
    drop(second);
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn grace_continues_while_connections_arrive_and_ends_after_quiet() {
    let app = App::new(env!("CARGO_BIN_EXE_tcp")).env("GRACEFUL_GRACE", "100ms").env("GRACEFUL_QUIET", "1s");
    let app = app.env("GRACEFUL_GRACE_LIMIT", "1m").env("GRACEFUL_TERMINATION_GRACE_PERIOD", "2m").start();
    let to = app.ready();
    let sent = app.begin_shutdown(Signal::TERM);
    while sent.elapsed() < Duration::from_millis(2500) {
        echoes(&mut Client::new(to), "still here\n");
        thread::sleep(Duration::from_millis(50)); // the interval of new clients
    }
    let seen = probe(app.health(), "/readyz?verbose").unwrap();
    assert!(seen.body.contains("phase: grace\n"), "{seen:?}");
    app.logs("draining: ");
    app.end().with_code(0);
}

#[test]
fn a_connection_in_the_accept_queue_is_served() {
    let (mut app, _idle) = start();
    app.begin_shutdown(Signal::TERM);
    // Every connection made before the drain is accepted.
    let mut late: Vec<_> = (0..20).map(|_| Client::new(app.address())).collect();
    for client in &mut late {
        client.write("late\n");
    }
    for client in &mut late {
        assert_eq!(client.read_until("\n").unwrap(), "late\n");
    }
    app.send_line("release");
    app.end().with_code(0);
}
