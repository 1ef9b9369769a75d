//! What the server has not looked at yet when the drain begins: connections in the kernel's queue, bytes in sockets.

use crate::{serve, serve_on_one_thread};
use graceful_tests::Client;

#[test]
fn connections_that_were_waiting_to_be_accepted_are_answered() {
    // One connection at a time, and that one is held: the others stay in the kernel's queue.
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
    app.tell("release");
    assert_eq!(first.response().body, "held\n");
    app.end().with_code(0);
}

#[test]
fn what_came_while_the_only_thread_was_blocked_is_answered() {
    let mut app = serve_on_one_thread().start();
    let mut idle: Vec<_> = (0..20).map(|_| app.client()).collect();
    for client in &mut idle {
        assert!(!client.get("/fast").says_close());
    }
    app.tell("block");
    app.prints("every worker is blocked");
    // Requests on idle connections, and connections that nobody can accept, all before the drain.
    idle.iter_mut().for_each(|client| client.send("/fast"));
    // More of them than tokio's own queue holds.
    let mut queued: Vec<_> = (0..300).map(|_| app.client()).collect();
    queued.iter_mut().for_each(|client| client.send("/fast"));
    app.begin_drain();
    app.tell("release");
    for client in idle.iter_mut().chain(&mut queued) {
        client.last_response();
    }
    app.end().with_code(0);
}

#[test]
fn a_request_that_was_written_while_the_pool_was_blocked_is_answered() {
    let mut app = serve().start();
    let mut idle: Vec<_> = (0..20).map(|_| app.client()).collect();
    for client in &mut idle {
        client.get("/fast");
    }
    app.tell("block");
    app.prints("every worker is blocked");
    idle.iter_mut().for_each(|client| client.send("/fast"));
    app.begin_drain();
    app.tell("release");
    for client in &mut idle {
        assert_eq!(client.response().status, 200);
        client.is_closed();
    }
    app.end().with_code(0);
}

#[test]
fn after_the_drain_has_emptied_the_queue_new_connections_are_refused() {
    let mut app = serve().start();
    let address = app.ready();
    let mut held = app.client();
    held.send("/held");
    app.prints("in /held");
    app.begin_drain();
    // The listener closes right after the drain has begun: until then a connection is taken, from then on refused.
    while let Ok(mut client) = Client::connect(address) {
        let _ = client.try_get("/fast");
    }
    app.tell("release");
    assert_eq!(held.response().body, "held\n");
    app.end().with_code(0);
}
