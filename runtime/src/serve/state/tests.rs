//! Connections, event by event.

#[cfg(feature = "http2")]
mod http2;

use super::*;

const LIMITS: Limits = Limits {
    header: Duration::from_secs(10),
    body: Duration::from_secs(30),
    first: Duration::from_millis(500),
    connections: usize::MAX,
};
const SECOND: Duration = Duration::from_secs(1);

const PLAIN: RequestFacts = RequestFacts { body: Some(0), special: false, http_10: false };
const CHUNKED: RequestFacts = RequestFacts { body: None, ..PLAIN };
const UPGRADE: RequestFacts = RequestFacts { special: true, ..PLAIN };

fn with_body(length: u64) -> RequestFacts {
    RequestFacts { body: Some(length), ..PLAIN }
}

/// A connection that has had a request and its response.
fn idle() -> ConnState {
    let state = ConnState::new();
    state.on_read(40);
    state.on_plain_request();
    state.on_response_end();
    assert_eq!(state.word(), IDLE);
    state
}

/// Ticks until the timeout has passed; how many seconds that took, at most 100.
fn seconds_to_expire(state: &ConnState) -> usize {
    (0..100).take_while(|_| !state.tick(SECOND, &LIMITS, false)).count()
}

#[test]
fn a_request_is_read_handled_and_answered() {
    let state = ConnState::new();
    assert_eq!((state.kind(), state.action(Mode::Drain)), (NEW, Action::Continue));
    state.on_read(40);
    assert_eq!((state.word(), state.action(Mode::Drain)), (READING_HEAD | FIRST, Action::Continue));
    state.on_plain_request();
    assert!(state.is_quiet() && state.is_plain_request());
    assert_eq!(state.action(Mode::Drain), Action::Continue);
    state.on_response_end();
    assert!(state.is_quiet() && !state.may_receive_more());
    assert_eq!((state.action(Mode::Grace), state.action(Mode::Drain)), (Action::Continue, Action::GracefulShutdown));
    state.on_read(10);
    assert_eq!((state.word(), state.action(Mode::Drain)), (READING_HEAD, Action::Continue));
}

#[test]
fn every_state_is_aborted_at_the_drain_deadline() {
    let upgraded = ConnState::new();
    upgraded.on_upgrade();
    for state in [ConnState::new(), idle(), upgraded] {
        assert_eq!(state.action(Mode::Abort), Action::Abort);
    }
}

#[test]
fn a_body_is_incomplete_while_fewer_bytes_were_read_than_its_length() {
    let state = ConnState::new();
    state.on_read(100);
    state.on_request(with_body(150));
    assert!(state.waits_for_client());
    state.on_read(49);
    assert!(state.waits_for_client());
    state.on_read(1);
    assert_eq!(state.word(), IN_FLIGHT);
}

#[test]
fn a_body_that_may_have_come_with_the_request_before_may_be_complete() {
    let state = ConnState::new();
    state.on_read(1040);
    state.on_plain_request();
    state.on_response_end();
    state.on_request(with_body(1000)); // no read since the response before
    assert!(!state.waits_for_client());
    // While the request before was in flight.
    let state = ConnState::new();
    state.on_read(40);
    state.on_plain_request();
    state.on_read(1000);
    state.on_response_end();
    state.on_request(with_body(1000));
    assert!(!state.waits_for_client());
    // With the last bytes of another body.
    let state = ConnState::new();
    state.on_read(60);
    state.on_request(with_body(1000));
    state.on_read(2060);
    state.on_response_end();
    state.on_request(with_body(1000));
    assert!(!state.waits_for_client());
    // Behind another body.
    let state = ConnState::new();
    state.on_read(2000);
    state.on_request(with_body(10));
    state.on_response();
    state.on_response_end();
    state.on_request(with_body(1000));
    assert!(!state.waits_for_client());
}

#[test]
fn a_body_that_came_in_several_reads_may_be_complete() {
    // With its head.
    let state = ConnState::new();
    state.on_read(100);
    state.on_read(500);
    state.on_read(450);
    state.on_request(with_body(1000));
    assert!(!state.waits_for_client());
    // While the request before was in flight.
    let state = ConnState::new();
    state.on_read(40);
    state.on_plain_request();
    state.on_read(500);
    state.on_read(500);
    state.on_response_end();
    state.on_request(with_body(1000));
    assert!(!state.waits_for_client());
}

#[test]
fn a_body_behind_a_half_read_one_may_be_complete() {
    let state = ConnState::new();
    state.on_read(60);
    state.on_request(with_body(1000));
    state.on_response();
    state.on_read(2000); // the rest of the body, and a whole request
    state.on_response_end();
    state.on_request(with_body(3000));
    assert!(!state.waits_for_client());
}

#[test]
fn a_blocked_write_outlasts_the_next_read() {
    let state = ConnState::new();
    state.on_read(40);
    state.on_plain_request();
    state.on_write(true);
    state.on_response_end();
    state.on_read(10);
    assert_eq!(state.word(), READING_HEAD | WRITE_BLOCKED);
    assert_eq!(seconds_to_expire(&state), 10);
    assert_eq!(state.action(Mode::Drain), Action::Continue, "the response is not written");
    state.on_write(false);
    assert_eq!(state.action(Mode::Drain), Action::GracefulShutdown);
}

#[test]
fn a_body_longer_than_all_that_was_read_is_incomplete_also_behind_a_pipelined_request() {
    let state = ConnState::new();
    state.on_read(100);
    state.on_plain_request();
    state.on_response_end();
    state.on_request(with_body(1000));
    assert!(state.waits_for_client());
}

#[test]
fn a_connection_whose_response_is_not_written_is_not_idle() {
    let state = ConnState::new();
    state.on_read(40);
    state.on_plain_request();
    state.on_write(true);
    state.on_response_end();
    assert_eq!((state.action(Mode::Drain), state.action(Mode::Abort)), (Action::Continue, Action::Abort));
    state.on_write(false);
    assert_eq!((state.word(), state.action(Mode::Drain)), (IDLE, Action::GracefulShutdown));
}

#[test]
fn a_connection_closes_behind_a_response_unless_the_drain_has_found_it_idle() {
    assert!(!ConnState::new().closes_behind_response(), "nothing was read");
    let state = idle();
    assert!(state.closes_behind_response());
    state.on_idle_close();
    assert!(!state.closes_behind_response());
    assert_eq!(state.action(Mode::Drain), Action::GracefulShutdown);
    state.on_read(40);
    assert_eq!(state.word(), READING_HEAD, "a request has arrived meanwhile");
    let busy = ConnState::new();
    busy.on_read(40);
    busy.on_plain_request();
    busy.on_idle_close();
    assert!(busy.closes_behind_response(), "it is not idle");
}

#[test]
fn a_body_times_out_only_while_hyper_asks_for_it_and_the_socket_is_empty() {
    let state = ConnState::new();
    state.on_read(100);
    state.on_request(with_body(1000));
    assert_eq!(seconds_to_expire(&state), 100, "the handler has not asked for the body");
    state.on_nothing_to_read();
    state.on_socket_empty();
    assert!(state.waits_for_client() && !state.is_late(), "its time is not up");
    assert_eq!(seconds_to_expire(&state), 30);
    assert_eq!(state.action(Mode::Serve), Action::Continue, "the socket has not been asked");
    state.on_read(10);
    assert!(!state.has_expired(), "the client is alive");
    state.on_nothing_to_read();
    assert_eq!(seconds_to_expire(&state), 30);
    assert!(state.has_expired());
    state.on_socket_empty();
    assert!(state.is_late());
    assert_eq!(state.action(Mode::Serve), Action::Abort);
}

#[test]
fn no_body_times_out_once_its_response_has_begun() {
    let state = ConnState::new();
    state.on_read(100);
    state.on_request(with_body(1000));
    state.on_nothing_to_read();
    state.on_response();
    assert_eq!(seconds_to_expire(&state), 100);
    assert!(state.may_receive_more(), "the client may still be sending the body");
    state.on_response_end();
    assert!(state.may_receive_more());
    assert_eq!(state.action(Mode::Drain), Action::GracefulShutdown);
}

#[test]
fn a_chunked_body_has_no_timeout_and_may_be_unread_when_the_connection_closes() {
    let state = ConnState::new();
    state.on_read(100);
    state.on_request(CHUNKED);
    state.on_nothing_to_read();
    assert_eq!(seconds_to_expire(&state), 100);
    state.on_response_end();
    assert!(state.may_receive_more());
    state.on_read(40);
    state.on_plain_request();
    assert!(!state.may_receive_more(), "the next request has no body");
}

#[test]
fn the_first_head_that_is_late_is_aborted_and_a_later_one_is_left_to_hyper() {
    let first = ConnState::new();
    first.on_read(10);
    assert_eq!(seconds_to_expire(&first), 10);
    first.on_read(10);
    assert_eq!(first.action(Mode::Serve), Action::Abort, "the head as a whole is late");
    let later = idle();
    later.on_read(10);
    assert_eq!(seconds_to_expire(&later), 10);
    assert_eq!(later.action(Mode::Serve), Action::GracefulShutdown);
    later.on_plain_request();
    assert_eq!(later.action(Mode::Serve), Action::Continue, "it was complete after all");
}

#[test]
fn an_idle_connection_has_no_timeout() {
    assert_eq!(seconds_to_expire(&idle()), 100);
}

#[test]
fn no_timeout_is_early_however_short_it_is() {
    let period = Duration::from_millis(100);
    for (millis, passed) in [(1, 1), (90, 1), (100, 1), (101, 2), (149, 2), (150, 2), (200, 2), (201, 3)] {
        let limits = Limits { header: Duration::from_millis(millis), ..LIMITS };
        let state = ConnState::new();
        state.on_read(1); // just before the first tick, which starts the clock
        let ticks = (0..100).take_while(|_| !state.tick(period, &limits, true)).count();
        assert_eq!(ticks, passed, "periods for a timeout of {millis} ms");
    }
    let endless = Limits { header: Duration::MAX, ..LIMITS };
    let state = ConnState::new();
    state.on_read(1);
    assert!((0..10).all(|_| !state.tick(period, &endless, true)));
}

#[test]
fn a_silent_new_connection_expires_in_the_drain_alone() {
    let state = ConnState::new();
    assert_eq!(seconds_to_expire(&state), 100);
    let tick = || state.tick(Duration::from_millis(100), &LIMITS, true);
    let ticks = (0..100).take_while(|_| !tick()).count();
    assert_eq!((ticks, state.action(Mode::Drain)), (5, Action::GracefulShutdown));
    assert!(!state.is_late(), "a client that has sent nothing owes nothing");
    state.on_handshake();
    assert_eq!(state.action(Mode::Drain), Action::Continue, "its handshake goes on");
}

#[test]
fn an_accepted_upgrade_stays_upgraded_and_a_declined_one_is_a_response() {
    let state = ConnState::new();
    state.on_read(40);
    state.on_request(UPGRADE);
    assert!(!state.is_plain_request());
    state.on_upgrade();
    state.on_response_end();
    state.on_read(10);
    assert!(state.is_upgraded() && !state.may_receive_more());
    assert_eq!(state.action(Mode::Drain), Action::Continue, "its owner decides");
    let state = ConnState::new();
    state.on_read(40);
    state.on_request(UPGRADE);
    state.on_response();
    state.on_response_end();
    assert_eq!(state.word(), IDLE);
}

#[test]
fn what_is_known_of_a_request_lasts_until_its_response() {
    let state = ConnState::new();
    state.on_read(40);
    state.on_request(RequestFacts { body: Some(100), special: true, http_10: true });
    state.on_read(30);
    state.on_read(30);
    assert_eq!(state.word(), IN_FLIGHT | HTTP_10 | SPECIAL);
    let early = ConnState::new();
    early.on_read(40);
    early.on_request(RequestFacts { body: Some(100), special: true, http_10: true });
    early.on_response(); // before the body has arrived
    assert_eq!(early.word(), IN_FLIGHT | BODY_OPEN | HTTP_10 | SPECIAL);
    state.on_response_end();
    assert_eq!(state.word(), IDLE);
}

#[test]
fn a_part_of_a_record_begins_a_request_but_is_no_part_of_one_in_flight() {
    let (new, idle) = (ConnState::new(), ConnState::new());
    idle.on_read(40);
    idle.on_plain_request();
    idle.on_response_end();
    for state in [new, idle] {
        state.on_partial_input();
        assert!(state.waits_for_client());
        assert_eq!(state.action(Mode::Drain), Action::Continue, "the rest is waited for");
    }
    let state = ConnState::new();
    state.on_read(40);
    state.on_plain_request();
    state.on_partial_input();
    assert!(state.is_plain_request());
}
