//! Connections of HTTP/2.

use super::*;

#[test]
fn a_tunnel_of_http2_counts_as_open_until_its_connection_ends() {
    let state = ConnState::new();
    state.on_read(24);
    state.on_http2();
    state.on_stream();
    state.on_tunnel();
    state.on_response_end();
    assert_eq!(state.open_streams(), 1);
    assert!((0..100).all(|_| !state.tick(SECOND, &LIMITS, true)));
}

#[test]
fn http2_without_a_first_stream_gets_half_a_second_in_the_drain_before_goaway() {
    let state = ConnState::new();
    state.on_read(24);
    state.on_http2();
    assert_eq!(state.action(Mode::Drain), Action::Continue, "the first request may be on the wire");
    assert!((0..100).all(|_| !state.tick(SECOND, &LIMITS, false)), "no timeout before the drain");
    let tick = || state.tick(Duration::from_millis(100), &LIMITS, true);
    assert!((0..4).all(|_| !tick()));
    state.on_read(9); // a PING gives no further time
    state.on_write(true);
    state.on_write(false);
    assert!((0..4).any(|_| tick()));
    assert_eq!(state.action(Mode::Drain), Action::GracefulShutdown);
    state.on_goaway();
    assert!(!state.is_late(), "a client that has sent nothing owes nothing");
    assert_eq!((0..100).take_while(|_| !state.tick(SECOND, &LIMITS, true)).count(), 30);
    assert_eq!(state.action(Mode::Drain), Action::Abort, "it does not close the connection");

    let state = ConnState::new();
    state.on_http2();
    state.on_stream();
    assert_eq!(state.action(Mode::Drain), Action::GracefulShutdown, "the client waits for a response");
}

#[test]
fn http2_counts_streams_and_expires_in_the_drain_without_any() {
    let state = ConnState::new();
    state.on_read(24);
    state.on_http2();
    state.on_stream();
    state.on_stream();
    state.on_response_end();
    assert_eq!((state.open_streams(), state.action(Mode::Drain)), (1, Action::GracefulShutdown));
    let tick = || state.tick(SECOND, &LIMITS, true);
    assert!((0..100).all(|_| !tick()), "a stream is open");
    state.on_response_end();
    assert_eq!(seconds_to_expire(&state), 100, "an idle connection has no timeout before the drain");
    assert_eq!((0..100).take_while(|_| !tick()).count(), 30);
    assert_eq!(state.action(Mode::Drain), Action::Abort);
    state.on_write(true);
    assert_eq!(state.action(Mode::Drain), Action::Abort, "the client takes nothing");
    state.on_write(false);
    assert_eq!(state.action(Mode::Drain), Action::GracefulShutdown, "the client takes bytes");
    state.on_read(9);
    assert_eq!(state.action(Mode::Drain), Action::GracefulShutdown, "the client is alive");
}
