//! Timeouts: live requests are not cut, and clients that stall are.

use crate::{
    compare::Case,
    driver::Outcome,
    recording::{BodyEnd, Stage},
    request::{Framing, Request, get, post},
    run::Server,
    script::{
        Moment::{Drain, Grace},
        Script,
    },
    smuggling::{is_as_hyper, next},
};

#[test]
fn a_request_whose_first_bytes_came_with_its_predecessor_is_not_cut_while_its_handler_works() {
    let whole = post("all/late", Framing::Length).whole();
    let (first, rest) = whole.split_at(40);
    let script = Script::new().part([next(), first.to_vec()].concat()).request(rest);
    is_as_hyper(script.clone().advance(100).release());
    is_as_hyper(script.enter(Drain).advance(150).release());
}

#[test]
fn a_request_with_bare_lf_is_not_cut_while_its_handler_works() {
    let request = Request { bare_lf: true, headers: "a: 1\r\nb: 2\r\nc: 3\r\n", ..post("all/late", Framing::Length) };
    let script = Script::new().request(request.whole());
    is_as_hyper(script.clone().advance(100).release());
    is_as_hyper(script.enter(Drain).advance(150).release());
}

/// Runs a script in which the client stalls, and in which nothing but the timeout ends the connection.
#[track_caller]
fn is_cut(script: Script) -> Outcome {
    let outcome = Case::new("the script", script.clone()).run(&Server::Serve);
    assert!(outcome.end.is_some(), "the connection is open\n{script}{:?}", outcome.seen);
    outcome
}

#[track_caller]
fn body_is_cut(script: Script) {
    let outcome = is_cut(script.clone());
    let last = outcome.seen.last().unwrap();
    assert!(last.stage == Stage::Cancelled && last.body_end == BodyEnd::Unread, "{script}{last:?}");
    let before = Case::new("the script", script.clone().advancing(28)).run(&Server::Serve);
    assert_eq!(before.end, None, "cut early\n{script}");
}

const BODY: &str = "POST /all HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n";

#[test]
fn a_body_that_stalls_behind_its_first_byte_is_cut() {
    body_is_cut(Script::new().part(format!("{BODY}a")).advance(40));
    body_is_cut(Script::new().part(BODY).part("a").advance(40));
    body_is_cut(Script::new().part(BODY).advance(40));
}

#[test]
fn a_body_that_stalls_behind_a_pipelined_request_is_cut() {
    body_is_cut(Script::new().part([&next()[..], BODY.as_bytes(), b"a"].concat()).advance(40));
}

#[test]
fn a_body_that_stalls_behind_a_half_read_one_is_cut() {
    body_is_cut(Script::new().part(format!("{BODY}a")).enter(Grace(10)).part("b").advance(40));
    body_is_cut(Script::new().request(next()).part(format!("{BODY}a")).enter(Drain).advance(40));
}

#[test]
fn a_head_that_stalls_is_cut() {
    is_cut(Script::new().part("G").advance(20));
    is_cut(Script::new().part("GET / HTTP/1.1\r\n").advance(20));
    is_cut(Script::new().request(next()).part("GET / HTTP/1.1\r\n").advance(20));
    is_cut(Script::new().part("GET / HTTP/1.1\r\n").enter(Grace(10)).advance(4).part("a: b\r\n").advance(20));
}

#[test]
fn a_head_that_stalls_behind_a_pipelined_request_is_cut_in_the_drain() {
    is_cut(Script::new().part([&next()[..], b"GET / HTTP/1.1\r\n"].concat()).enter(Drain).advance(20));
    is_cut(Script::new().part([&next()[..], b"GET / HTTP/1.1\r\n"].concat()).part("a: b\r\n").enter(Drain).advance(20));
}

#[test]
fn a_head_that_stalls_behind_an_early_response_is_cut() {
    let kept = post("keep", Framing::Length);
    let [first, second] = kept.body();
    let idle = Script::new().part([kept.head(), first].concat()).request(second).release();
    is_cut(idle.clone().part("GET / HTTP/1.1\r\n").advance(20));
    is_cut(idle.part("GET / HTTP/1.1\r\n").enter(Drain).advance(20));
}

#[test]
fn a_head_that_trickles_is_cut() {
    let trickle = (0..30).fold(Script::new(), |script, _| script.part("a").advance(1));
    is_cut(trickle);
    let later = (0..30).fold(Script::new().request(next()), |script, _| script.part("a").advance(1));
    is_cut(later);
}

#[test]
fn an_idle_connection_is_not_cut_before_the_drain() {
    is_as_hyper(Script::new().request(next()).advance(100).request(next()));
    is_as_hyper(Script::new().advance(100).request(next()));
    is_as_hyper(Script::new().request(get("late").whole()).advance(100).release().request(next()));
}

/// A body and, with its last bytes in one packet, a complete second request whose handler is slow.
fn complete_behind_a_body() -> Script {
    let post = |path: &str| format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n");
    let (first, second) = (post("/all"), post("/all/late"));
    let packet = format!("{}{second}{}", "a".repeat(1000), "b".repeat(1000));
    let mut script = Script::new().part(&first).part(&packet);
    script.ends = vec![first.len() + 1000, first.len() + packet.len()];
    script
}

#[test]
fn a_complete_body_in_one_packet_with_the_end_of_another_is_not_cut() {
    is_as_hyper(complete_behind_a_body().advance(100).release());
    is_as_hyper(complete_behind_a_body().enter(Drain).advance(4).release());
}
