//! Server-sent events.

use crate::{example, traffic_address};
use graceful_tests::{Client, Signal};

#[test]
fn a_stream_ends_cleanly_when_the_drain_begins() {
    let app = example!("sse").start();
    let mut client = Client::new(traffic_address(&app));
    client.send("/clock");
    assert!(client.read_until("\r\n\r\n").unwrap().to_lowercase().contains("text/event-stream"));
    client.read_until("event: tick\ndata: 0\n\n").unwrap();
    app.begin_shutdown(Signal::TERM);
    client.read_until("event: tick\ndata: 2\n\n").unwrap();
    let rest = client.read_until("event: moved\ndata: draining\n\n").unwrap();
    assert!(rest.contains("event: tick"), "{rest}"); // the stream continues during grace
    app.logs("draining: ");
    // The last chunk, then FIN: the client sees a complete response.
    client.read_until("\r\n0\r\n\r\n").unwrap();
    client.expect_close();
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn the_connection_of_a_stream_opened_in_grace_is_closed() {
    let app = example!("sse").env("GRACEFUL_GRACE", "2s").start();
    let to = traffic_address(&app);
    app.begin_shutdown(Signal::TERM);
    let mut client = Client::new(to);
    client.send("/clock");
    client.read_until("event: moved").unwrap();
    client.read_until("\r\n0\r\n\r\n").unwrap();
    client.expect_close();
    app.end().with_code(0);
}
