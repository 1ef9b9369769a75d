//! Connections with a handshake.

use crate::{serve, serve_on_one_thread};
use std::{thread, time::Duration};

#[test]
fn a_request_unread_by_a_blocked_runtime_is_served_in_the_drain() {
    let mut app = serve_on_one_thread().env("HANDSHAKE", "yes").start();
    let mut clients: Vec<_> = (0..5).map(|_| app.client()).collect();
    for client in &mut clients {
        client.write("hello\n");
        assert_eq!(client.get("/fast").status, 200);
    }
    app.send_line("block");
    app.prints("every worker is blocked");
    clients.iter_mut().for_each(|client| client.send("/fast"));
    app.begin_drain();
    app.send_line("release");
    for client in &mut clients {
        client.last_response();
    }
    app.end().with_code(0);
}

#[test]
fn the_drain_waits_for_a_slow_handshake() {
    let app = serve().env("HANDSHAKE", "yes").start();
    let mut client = app.client();
    let mut idle = app.client();
    idle.write("hello\n");
    assert_eq!(idle.get("/fast").status, 200);
    app.begin_drain();
    idle.expect_close(); // the server has processed every connection
    for part in ["hel", "lo", "\n"] {
        // The pauses add up to more than the limit of a connection without a handshake.
        thread::sleep(Duration::from_millis(900));
        client.write(part);
    }
    let response = client.get("/fast");
    assert_eq!((response.status, response.has_connection_close()), (200, true));
    client.expect_close();
    app.end().with_code(0);
}
