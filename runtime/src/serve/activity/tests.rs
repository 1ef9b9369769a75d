//! Lives of a connection, step by step.

use super::*;

fn request(body: &str) -> Request<String> {
    Request::post("/orders").header("content-length", body.len()).body(body.to_owned()).unwrap()
}

const LIMITS: Limits =
    Limits { header: Duration::from_secs(10), body: Duration::from_secs(30), connections: usize::MAX };

#[test]
fn a_request_and_its_answer_make_a_connection_idle_again() {
    let activity = Activity::new();
    assert_eq!(activity.kind(), FRESH);
    activity.on_read(40);
    assert_eq!((activity.kind(), activity.verdict(Mode::Drain)), (HEAD, Verdict::GoOn));
    activity.on_request(&request(""));
    assert_eq!((activity.kind(), activity.verdict(Mode::Drain)), (BUSY, Verdict::Finish));
    activity.on_answered();
    assert_eq!((activity.kind(), activity.may_receive_more()), (IDLE, false));
    activity.on_read(10);
    assert_eq!(activity.kind(), HEAD);
}

#[test]
fn what_is_pipelined_is_the_next_head() {
    let activity = Activity::new();
    activity.on_read(40);
    activity.on_request(&request(""));
    activity.on_read(7);
    assert!(activity.may_receive_more());
    activity.on_answered();
    assert_eq!((activity.kind(), activity.verdict(Mode::Drain)), (HEAD, Verdict::GoOn));
}

#[test]
fn a_body_is_complete_when_all_its_bytes_have_arrived() {
    let activity = Activity::new();
    let request = request("0123456789");
    let head = "POST /orders HTTP/1.1\r\ncontent-length: 10\r\n\r\n".len();
    activity.on_read(head + 2);
    activity.on_request(&request);
    assert_eq!(activity.kind(), BODY);
    activity.on_read(8);
    assert_eq!(activity.kind(), BUSY);
    activity.on_read(1); // as if the head had been shorter than it was taken for
    activity.on_answered();
    assert_eq!((activity.kind(), activity.may_receive_more()), (IDLE, false));
}

#[test]
fn an_answer_before_its_body_expects_more_from_the_client() {
    let activity = Activity::new();
    activity.on_read(60);
    activity.on_request(&request(&"x".repeat(5000)));
    activity.on_answered();
    assert_eq!((activity.kind(), activity.may_receive_more()), (IDLE, true));
    activity.on_read(4940);
    assert_eq!(activity.verdict(Mode::Drain), Verdict::GoOn, "it may be a head");
    activity.grow_older(1, &LIMITS, false);
    assert!(!activity.grow_older(3_600_000, &LIMITS, false), "and it may be the rest of the body");
    activity.on_request(&request(""));
    activity.on_answered();
    assert!(!activity.may_receive_more());
}

#[test]
fn time_is_up_for_half_a_head_and_never_for_an_idle_connection() {
    let activity = Activity::new();
    assert!(!activity.grow_older(60_000, &LIMITS, false), "fresh");
    activity.on_read(5);
    assert!(!activity.grow_older(60_000, &LIMITS, false), "the first sweep only marks it");
    assert!(!activity.grow_older(9_000, &LIMITS, false));
    activity.on_read(1);
    assert!(activity.grow_older(1_000, &LIMITS, false), "a byte now and then buys no time");
    assert_eq!(activity.verdict(Mode::Serve), Verdict::End);

    let idle = Activity::new();
    idle.on_read(5);
    idle.on_request(&request(""));
    idle.on_answered();
    assert!(!idle.grow_older(3_600_000, &LIMITS, false));
}

#[test]
fn a_body_that_stands_still_is_suspect_until_the_socket_was_asked() {
    let activity = Activity::new();
    activity.on_read(50);
    activity.on_request(&request(&"x".repeat(500)));
    assert!(!activity.grow_older(1_000, &LIMITS, false));
    assert!(!activity.grow_older(29_000, &LIMITS, false));
    activity.on_read(100);
    assert!(!activity.grow_older(1_000, &LIMITS, false));
    assert!(!activity.grow_older(29_000, &LIMITS, false), "every byte buys time");
    assert!(activity.grow_older(1_000, &LIMITS, false));
    assert!(activity.is_suspect());
    assert_eq!(activity.verdict(Mode::Serve), Verdict::GoOn);
    activity.on_nothing_there();
    assert_eq!(activity.verdict(Mode::Serve), Verdict::End);
}

#[test]
fn a_body_of_unknown_length_is_never_suspect_as_its_handler_may_just_be_slow() {
    let activity = Activity::new();
    activity.on_read(50);
    activity.on_request(&Request::post("/").body(Unknown).unwrap());
    assert_eq!(activity.kind(), BODY);
    activity.grow_older(1, &LIMITS, false);
    assert!(!activity.grow_older(3_600_000, &LIMITS, false));
    assert!(!activity.is_suspect());
}

/// A chunked body.
struct Unknown;

impl Body for Unknown {
    type Data = &'static [u8];
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[test]
fn a_new_connection_gets_a_moment_in_the_drain() {
    let activity = Activity::new();
    assert_eq!(activity.verdict(Mode::Drain), Verdict::GoOn);
    assert!(!activity.grow_older(100, &LIMITS, true));
    assert!(!activity.grow_older(400, &LIMITS, true));
    assert!(activity.grow_older(100, &LIMITS, true));
    assert_eq!(activity.verdict(Mode::Drain), Verdict::Finish);
    assert_eq!(activity.verdict(Mode::Cut), Verdict::End);
}
