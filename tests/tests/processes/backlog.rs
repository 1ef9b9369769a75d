//! Unaccepted connections and unread bytes when the drain begins.

use crate::{serve, serve_on_one_thread};
use graceful_tests::Client;

#[test]
fn connections_in_the_accept_queue_are_served() {
    // The limit is one connection, which is held, so the others stay in the accept queue.
    let mut app = serve().env("MAX_CONNECTIONS", "1").start();
    let mut first = app.client();
    first.send("/held");
    app.prints("in /held");
    let mut queued: Vec<_> = (0..20).map(|_| app.client()).collect();
    queued.iter_mut().for_each(|client| client.send("/fast"));
    app.begin_drain();
    for client in &mut queued {
        client.last_response();
    }
    app.send_line("release");
    assert_eq!(first.response().body, "held\n");
    app.end().with_code(0);
}

#[test]
fn requests_that_arrived_while_the_only_thread_was_blocked_are_served() {
    let mut app = serve_on_one_thread().start();
    let mut idle: Vec<_> = (0..20).map(|_| app.client()).collect();
    for client in &mut idle {
        assert!(!client.get("/fast").has_connection_close());
    }
    app.send_line("block");
    app.prints("every worker is blocked");
    // Requests on idle connections and unaccepted connections, all before the drain.
    idle.iter_mut().for_each(|client| client.send("/fast"));
    // More connections than tokio's default accept queue holds.
    let mut queued: Vec<_> = (0..300).map(|_| app.client()).collect();
    queued.iter_mut().for_each(|client| client.send("/fast"));
    app.begin_drain();
    app.send_line("release");
    for client in idle.iter_mut().chain(&mut queued) {
        client.last_response();
    }
    app.end().with_code(0);
}

#[test]
fn requests_that_arrived_while_all_workers_were_blocked_are_served() {
    let mut app = serve().start();
    let mut idle: Vec<_> = (0..20).map(|_| app.client()).collect();
    for client in &mut idle {
        client.get("/fast");
    }
    app.send_line("block");
    app.prints("every worker is blocked");
    idle.iter_mut().for_each(|client| client.send("/fast"));
    app.begin_drain();
    app.send_line("release");
    for client in &mut idle {
        assert_eq!(client.response().status, 200);
        client.expect_close();
    }
    app.end().with_code(0);
}

#[test]
fn connections_are_refused_after_the_drain_emptied_the_accept_queue() {
    let mut app = serve().start();
    let address = app.ready();
    let mut held = app.client();
    held.send("/held");
    app.prints("in /held");
    app.begin_drain();
    // The listener closes right after the drain begins: connections are accepted before and refused after that.
    while let Ok(mut client) = Client::connect(address) {
        let _ = client.try_get("/fast");
    }
    app.send_line("release");
    assert_eq!(held.response().body, "held\n");
    app.end().with_code(0);
}
