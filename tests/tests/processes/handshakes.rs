//! Connections that begin with a handshake, whose sockets cannot be asked what they hold.

use crate::{serve, serve_on_one_thread};
use std::{thread, time::Duration};

#[test]
fn a_request_that_a_blocked_runtime_has_not_read_is_answered_in_the_drain() {
    let mut app = serve_on_one_thread().env("HANDSHAKE", "yes").start();
    let mut clients: Vec<_> = (0..5).map(|_| app.client()).collect();
    for client in &mut clients {
        client.write("hello\n");
        assert_eq!(client.get("/fast").status, 200);
    }
    app.tell("block");
    app.prints("every worker is blocked");
    clients.iter_mut().for_each(|client| client.send("/fast"));
    app.begin_drain();
    app.tell("release");
    for client in &mut clients {
        client.last_response();
    }
    app.end().with_code(0);
}

#[test]
fn a_slow_handshake_is_waited_for_in_the_drain() {
    let app = serve().env("HANDSHAKE", "yes").start();
    let mut client = app.client();
    let mut idle = app.client();
    idle.write("hello\n");
    assert_eq!(idle.get("/fast").status, 200);
    app.begin_drain();
    idle.is_closed(); // the server has looked at every connection
    for part in ["hel", "lo", "\n"] {
        // A pace: more than a connection without a handshake gets.
        thread::sleep(Duration::from_millis(900));
        client.write(part);
    }
    let response = client.get("/fast");
    assert_eq!((response.status, response.says_close()), (200, true));
    client.is_closed();
    app.end().with_code(0);
}
