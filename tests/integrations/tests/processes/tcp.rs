//! A protocol of the user's own.

use graceful_tests::{App, Client, Running, Signal, probe};
use std::{thread, time::Duration};

fn start() -> (Running, Client) {
    let app = App::new(env!("CARGO_BIN_EXE_tcp")).start();
    let client = Client::new(app.ready());
    (app, client)
}

#[track_caller]
fn echoes(client: &mut Client, line: &str) {
    client.write(line);
    assert_eq!(client.until("\n").unwrap(), line);
}

#[test]
fn connections_are_served_through_grace_and_finish_in_the_drain() {
    let (mut app, mut first) = start();
    echoes(&mut first, "one\n");
    app.begin_shutdown(Signal::TERM);
    echoes(&mut first, "two\n");
    let mut second = Client::new(app.address());
    echoes(&mut second, "three\n");
    app.says("draining: waiting up to 1s for main, 2 of connections on ");
    app.tell("release");
    for client in [&mut first, &mut second] {
        assert_eq!(client.until("\n").unwrap(), "finished\n");
        client.is_closed();
    }
    let ended = app.end();
    ended.with_code(0).says_in_order(&["main returned", "hooks: nothing is in flight"]);
    ended.prints_in_order(&["the hook has run"]);
}

#[test]
fn a_handler_that_never_ends_is_cut_at_the_deadline_and_named() {
    let (mut app, mut stays) = start();
    stays.write("stay\n");
    app.prints("heard stay");
    let mut other = Client::new(app.address());
    echoes(&mut other, "one\n");
    app.begin_drain();
    app.tell("release");
    assert_eq!(other.until("\n").unwrap(), "finished\n");
    stays.is_cut();
    let ended = app.end();
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    assert!(ended.summary().contains("CUT: connections on 127.0.0.1:"), "{}", ended.all());
}

#[test]
fn a_handler_that_panics_takes_nobody_along() {
    let (app, mut panics) = start();
    panics.write("panic\n");
    panics.is_cut();
    let mut other = Client::new(app.address());
    echoes(&mut other, "one\n");
    drop(other);
    app.signal(Signal::TERM);
    app.end().with_code(0).says_in_order(&["the handler panics", "hooks: nothing is in flight"]);
}

#[test]
fn connections_over_the_limit_wait_for_their_turn() {
    let app = App::new(env!("CARGO_BIN_EXE_tcp")).env("MAX_CONNECTIONS", "1").start();
    let (mut first, mut second) = (Client::new(app.ready()), Client::new(app.address()));
    second.write("second\n");
    for _ in 0..100 {
        echoes(&mut first, "first\n");
    }
    assert!(!app.so_far().contains("heard second"), "{}", app.so_far());
    drop(first);
    assert_eq!(second.until("\n").unwrap(), "second\n");
    drop(second);
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn grace_goes_on_while_connections_come_and_ends_when_it_is_quiet() {
    let app = App::new(env!("CARGO_BIN_EXE_tcp")).env("GRACEFUL_GRACE", "100ms").env("GRACEFUL_QUIET", "1s");
    let app = app.env("GRACEFUL_GRACE_LIMIT", "1m").env("GRACEFUL_TERMINATION_GRACE_PERIOD", "2m").start();
    let to = app.ready();
    let sent = app.begin_shutdown(Signal::TERM);
    while sent.elapsed() < Duration::from_millis(2500) {
        echoes(&mut Client::new(to), "still here\n");
        thread::sleep(Duration::from_millis(50)); // the pace of clients that come
    }
    let seen = probe(app.health(), "/readyz?verbose").unwrap();
    assert!(seen.body.contains("phase: grace\n"), "{seen:?}");
    app.says("draining: ");
    app.end().with_code(0);
}

#[test]
fn a_connection_in_the_queue_of_the_kernel_is_served() {
    let (mut app, _idle) = start();
    app.begin_shutdown(Signal::TERM);
    // Whoever connects before the drain is taken, however late.
    let mut late: Vec<_> = (0..20).map(|_| Client::new(app.address())).collect();
    for client in &mut late {
        client.write("late\n");
    }
    for client in &mut late {
        assert_eq!(client.until("\n").unwrap(), "late\n");
    }
    app.tell("release");
    app.end().with_code(0);
}
