//! Lives of a connection, step by step.

use super::{super::brings::Brings, *};
use hyper::{Request, body::Body};

fn request(body: &str) -> Request<String> {
    Request::post("/orders").header("content-length", body.len()).body(body.to_owned()).expect("a request")
}

const LIMITS: Limits =
    Limits { header: Duration::from_secs(10), body: Duration::from_secs(30), connections: usize::MAX };

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn write(activity: &Activity, bytes: &str) {
    activity.on_write(&[IoSlice::new(bytes.as_bytes())]);
}

const OK: &str = "HTTP/1.1 200 OK\r\n";

/// A connection that has had a request and its answer.
fn answered() -> Activity {
    let activity = Activity::new();
    activity.on_read(40);
    activity.on_request(Brings::of(&request("")));
    write(&activity, OK);
    activity
}

#[test]
fn a_request_arrives_is_handled_and_answered() {
    let activity = Activity::new();
    assert_eq!(activity.kind(), FRESH);
    activity.on_read(40);
    assert_eq!(activity.kind(), HEAD);
    activity.on_request(Brings::of(&request("")));
    assert_eq!((activity.kind(), activity.verdict(Mode::Grace)), (BUSY, Verdict::GoOn));
    assert_eq!(activity.verdict(Mode::Farewell), Verdict::Turn, "its answer is to say goodbye");
    write(&activity, OK);
    assert!(activity.is_answered() && !activity.may_receive_more());
    assert_eq!(activity.verdict(Mode::Farewell), Verdict::GoOn, "its client hears of it with its next request");
    assert_eq!(activity.verdict(Mode::Drain), Verdict::Turn);
    activity.on_read(10);
    assert_eq!((activity.kind(), activity.verdict(Mode::Grace)), (HEAD, Verdict::GoOn));
    assert_eq!((activity.verdict(Mode::Farewell), activity.verdict(Mode::Drain)), (Verdict::Turn, Verdict::Turn));
}

#[test]
fn only_an_answer_that_has_not_begun_can_say_goodbye() {
    let first = Activity::new();
    first.on_read(5);
    assert!(first.begin_turn(), "the first head");
    first.on_read(35);
    first.on_request(Brings::of(&request("")));
    assert!(first.begin_turn(), "the handler");
    write(&first, OK);
    assert!(!first.begin_turn() && first.is_turning(), "idle, or streaming");
    first.end_turn();
    first.on_new_begin();
    assert!(first.is_answered() && !first.has_turned());
    first.on_last_begin(7, false);
    assert!(first.has_turned() && !first.is_turning(), "its answer will say so");
    first.on_request(Brings::of(&request("")));
    write(&first, OK);
    assert!(first.has_turned() && !first.is_between_requests(), "whatever happens next");
}

#[test]
fn what_is_withheld_turns_at_once_and_is_not_withheld_any_more() {
    for (activity, came_before) in [(Activity::new(), false), (answered(), true)] {
        assert!(activity.is_between_requests());
        activity.on_withheld(40);
        assert_eq!((activity.is_withheld(), activity.verdict(Mode::Grace)), (true, Verdict::Turn), "{came_before}");
        assert!(!activity.begin_turn(), "hyper has nothing of it");
        assert!(!activity.is_withheld() && activity.is_turning());
    }
}

#[test]
fn what_is_pipelined_is_the_next_head() {
    let activity = Activity::new();
    activity.on_read(40);
    activity.on_request(Brings::of(&request("")));
    activity.on_read(7);
    assert!(activity.may_receive_more());
    write(&activity, OK);
    assert_eq!((activity.kind(), activity.verdict(Mode::Drain)), (HEAD, Verdict::Turn));
    assert!(!activity.begin_turn(), "the answer before it may be streaming");
}

#[test]
fn a_body_is_complete_when_all_its_bytes_have_arrived() {
    let activity = Activity::new();
    let request = request("0123456789");
    let head = "POST /orders HTTP/1.1\r\ncontent-length: 10\r\n\r\n".len();
    activity.on_read(head + 2);
    activity.on_request(Brings::of(&request));
    assert_eq!(activity.kind(), BODY);
    write(&activity, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(activity.kind(), BODY, "that is no answer");
    activity.on_read(8);
    assert_eq!(activity.kind(), BUSY);
    write(&activity, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(activity.kind(), BUSY, "nor is it where the head alone was longer than it was taken for");
    activity.on_read(1); // as if the head had been shorter than it was taken for
    write(&activity, OK);
    assert!(activity.is_answered() && !activity.may_receive_more());
}

#[test]
fn an_answer_before_its_body_expects_more_from_the_client() {
    let activity = Activity::new();
    activity.on_read(60);
    activity.on_request(Brings::of(&request(&"x".repeat(5000))));
    write(&activity, OK);
    assert_eq!((activity.kind(), activity.may_receive_more()), (ANSWERED, true));
    assert!(!activity.is_between_requests(), "what comes may be the rest of the body");
    activity.on_read(4940);
    assert_eq!(activity.verdict(Mode::Farewell), Verdict::GoOn);
    activity.grow_older(secs(1), &LIMITS, false);
    assert!(!activity.grow_older(secs(3600), &LIMITS, false), "no head that stands still");
    activity.on_request(Brings::of(&request("")));
    write(&activity, OK);
    assert!(!activity.may_receive_more());
}

#[test]
fn time_is_up_for_half_a_head_and_never_for_an_idle_connection() {
    let activity = Activity::new();
    assert!(!activity.grow_older(secs(60), &LIMITS, false), "fresh");
    activity.on_read(5);
    assert!(!activity.grow_older(secs(60), &LIMITS, false), "the first sweep only marks it");
    assert!(!activity.grow_older(secs(9), &LIMITS, false));
    activity.on_read(1);
    assert!(activity.grow_older(secs(1), &LIMITS, false), "a byte now and then buys no time");
    assert_eq!(activity.verdict(Mode::Serve), Verdict::End);

    let idle = answered();
    assert!(!idle.grow_older(secs(3600), &LIMITS, false));
    assert!(!idle.grow_older(secs(3600), &LIMITS, true));
}

#[test]
fn a_later_head_that_stands_still_is_a_question_to_hyper() {
    let activity = answered();
    activity.on_read(5);
    activity.grow_older(secs(1), &LIMITS, false);
    write(&activity, "another chunk");
    assert!(!activity.grow_older(secs(9), &LIMITS, false), "behind an answer that moves it waits");
    assert!(activity.grow_older(secs(10), &LIMITS, false));
    assert!(activity.is_suspect());
    assert_eq!(activity.verdict(Mode::Serve), Verdict::Turn);
    assert!(!activity.begin_turn() && !activity.is_suspect());
    assert!(!activity.grow_older(secs(60), &LIMITS, true), "asked once, it is not asked again");
}

#[test]
fn what_turns_out_not_to_be_half_a_head_is_a_request_and_what_is_one_ends_with_the_next_sweep() {
    for is_complete in [true, false] {
        let activity = answered();
        activity.on_last_begin(40, true);
        if is_complete {
            activity.on_request(Brings::of(&request("")));
        }
        assert_eq!(activity.grow_older(secs(1), &LIMITS, false), !is_complete);
        assert_eq!(activity.is_over(), !is_complete);
    }
}

#[test]
fn an_answer_that_declines_an_upgrade_is_one_and_what_a_new_owner_writes_is_none() {
    const SWITCHES: &str = "HTTP/1.1 101 Switching Protocols\r\n";
    for (upgrade, answer, accepted) in [
        (Upgrade::Header, SWITCHES, true),
        (Upgrade::Header, OK, false),
        (Upgrade::Connect, OK, true),
        (Upgrade::Connect, "HTTP/1.1 403 Forbidden\r\n", false),
    ] {
        let activity = Activity::new();
        activity.on_request(Brings { length: Length::None, upgrade: Some(upgrade) });
        write(&activity, answer);
        assert_eq!((activity.is_upgraded(), activity.is_answered()), (accepted, !accepted), "{upgrade:?}: {answer}");
        write(&activity, OK);
        assert_eq!(activity.is_upgraded(), accepted, "{upgrade:?}: {answer}");
    }
}

#[test]
fn a_body_that_stands_still_is_looked_at_before_it_is_cut() {
    let activity = Activity::new();
    activity.on_read(50);
    activity.on_request(Brings::of(&request(&"x".repeat(500))));
    assert!(!activity.grow_older(secs(1), &LIMITS, false));
    assert!(!activity.grow_older(secs(29), &LIMITS, false));
    activity.on_read(100);
    assert!(!activity.grow_older(secs(1), &LIMITS, false));
    assert!(!activity.grow_older(secs(29), &LIMITS, false), "every byte buys time");
    assert!(activity.grow_older(secs(1), &LIMITS, false));
    assert!(activity.is_suspect());
    assert_eq!(activity.verdict(Mode::Serve), Verdict::GoOn);
    activity.on_nothing_there();
    assert_eq!(activity.verdict(Mode::Serve), Verdict::End);
}

#[test]
fn a_body_of_unknown_length_may_be_complete_and_its_handler_slow() {
    let activity = Activity::new();
    activity.on_read(50);
    activity.on_request(Brings::of(&Request::new(Endless)));
    assert_eq!(activity.kind(), BODY);
    activity.grow_older(secs(1), &LIMITS, false);
    assert!(!activity.grow_older(secs(3600), &LIMITS, false));
    activity.on_read(50);
    assert!(!activity.grow_older(secs(3600), &LIMITS, false));
    assert!(!activity.is_suspect());
}

struct Endless;

impl Body for Endless {
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
fn a_fresh_connection_gets_half_a_second_in_the_drain() {
    let activity = Activity::new();
    assert_eq!(activity.verdict(Mode::Drain), Verdict::GoOn);
    let tenths = |tenths: u64| Duration::from_millis(100 * tenths);
    assert!(!activity.grow_older(tenths(1), &LIMITS, true));
    assert!(!activity.grow_older(tenths(4), &LIMITS, true));
    assert!(activity.grow_older(tenths(1), &LIMITS, true));
    assert_eq!(activity.verdict(Mode::Drain), Verdict::Turn);
    assert_eq!(activity.verdict(Mode::Cut), Verdict::End);
}
