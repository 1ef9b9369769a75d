//! One test for each known form of request smuggling, and of a request or an upgrade that is lost. Timeouts that cut too
//! much or too little are in `timeouts.rs`.

use crate::{
    compare::{Case, check},
    request::{Framing, Lasting, Request, SMUGGLED, get, post},
    run::Server,
    script::{
        Moment::{Drain, Grace},
        Script,
        Step::{Enter, Release},
    },
    settings::Settings,
    transport::Transport,
};

const UPGRADE: &str = "connection: upgrade\r\nupgrade: echo\r\n";
const SECOND_HALF: u32 = 60;

#[track_caller]
pub(crate) fn is_as_hyper(script: Script) {
    is_as_hyper_with(Settings::default(), script);
}

#[track_caller]
fn is_as_hyper_with(settings: Settings, script: Script) {
    for transport in [Transport::Memory, Transport::Tcp] {
        let case = Case::new("the script", script.clone()).over(transport).with(settings);
        check(&case).unwrap_or_else(|difference| panic!("{difference}"));
    }
}

/// Both servers see these requests of the script, and no others.
#[track_caller]
fn sees(script: Script, lines: &[&str]) {
    for transport in [Transport::Memory, Transport::Tcp] {
        let case = Case::new("the script", script.clone()).over(transport);
        for server in [Server::Hyper(Default::default()), Server::Serve] {
            let outcome = case.run(&server);
            let seen: Vec<_> = outcome.seen.iter().map(|seen| seen.line.as_str()).collect();
            assert_eq!(seen, lines, "{server:?}\n{script}");
        }
    }
}

pub(crate) fn next() -> Vec<u8> {
    get("next").whole()
}

/// An early response streams, and what the client sends of the body during the drain is a whole request.
fn hides_a_request(before: &[u8], head: &str) -> Script {
    let [first, second] = [SMUGGLED.repeat(2), SMUGGLED.to_owned()];
    let length = first.len() + second.len();
    let head = format!("{head}content-length: {length}\r\n\r\n{first}");
    Script::new().part([before, head.as_bytes()].concat()).enter(Drain).request(second).release()
}

const EARLY: &str = "POST /early/stream HTTP/1.1";

#[test]
fn an_unread_body_behind_a_query_is_not_executed_at_the_drain() {
    let query = "x".repeat(100);
    let script = hides_a_request(b"", &format!("POST /early/stream?{query} HTTP/1.1\r\nhost: x\r\n"));
    sees(script.clone(), &[&format!("POST /early/stream?{query} HTTP/1.1")]);
    is_as_hyper(script);
}

#[test]
fn an_unread_body_behind_white_space_in_a_header_is_not_executed_at_the_drain() {
    let script = hides_a_request(b"", &format!("{EARLY}\r\nhost:{}x\r\n", " ".repeat(100)));
    sees(script.clone(), &[EARLY]);
    is_as_hyper(script);
}

#[test]
fn an_unread_body_behind_a_pipelined_request_is_not_executed_at_the_drain() {
    let script = hides_a_request(&next(), &format!("{EARLY}\r\nhost: x\r\n"));
    sees(script.clone(), &["GET /next HTTP/1.1", EARLY]);
    is_as_hyper(script);
    let request = post("early/stream", Framing::Length);
    let [first, second] = request.body();
    let pipelined = Script::new().request(get("late").whole()).part([request.head(), first].concat()).release();
    let script = pipelined.enter(Drain).request(second).release();
    sees(script.clone(), &["GET /late HTTP/1.1", EARLY]);
    is_as_hyper(script);
}

/// A chunk of which the second half, a whole request, is unread when this step comes.
fn half_a_chunk(words: &str) -> Script {
    let begun = format!("{:x}\r\n{SMUGGLED}", 2 * SMUGGLED.len());
    Script::new().part([post(words, Framing::Chunked).head(), begun.into_bytes()].concat())
}

#[test]
fn an_unread_chunk_is_not_executed_when_its_response_ends_as_the_drain_begins() {
    for (words, line) in [("early/stream", EARLY), ("keep/stream", "POST /keep/stream HTTP/1.1")] {
        let unread = half_a_chunk(words).part(SMUGGLED);
        let drain_first = unread.clone().enter(Drain).release().joined();
        let release_first = unread.then(Release).then(Enter(Drain)).joined();
        for script in [drain_first, release_first] {
            sees(script.clone(), &[line]);
            is_as_hyper(script.release());
        }
    }
}

#[test]
fn an_unread_chunk_is_not_executed_behind_a_response_that_closes_as_the_drain_begins() {
    let before = half_a_chunk("keep/close").part(SMUGGLED).enter(Drain);
    let after = half_a_chunk("keep/close").enter(Drain).part(SMUGGLED);
    for script in [before, after] {
        sees(script.clone(), &["POST /keep/close HTTP/1.1"]);
        is_as_hyper(script.release());
    }
}

#[test]
fn an_unread_chunk_is_not_executed_in_the_drain() {
    let script = half_a_chunk("early/stream").part(SMUGGLED).enter(Drain).release();
    sees(script.clone(), &[EARLY]);
    is_as_hyper(script);
}

/// A part of a body that arrives in grace, while its early response streams, looks like a request.
fn looks_like_a_request_in_grace(framing: Framing, moment: u32) {
    let request = post("early/stream", framing);
    let [first, _] = request.body();
    let begun = Script::new().part([request.head(), first].concat());
    let script = begun.enter(Grace(moment)).part(SMUGGLED).part(SMUGGLED).release();
    sees(script.clone(), &[EARLY]);
    is_as_hyper(script.clone().enter(Drain));
    is_as_hyper(script);
}

#[test]
fn a_part_of_a_body_that_looks_like_a_request_is_not_executed_in_grace() {
    looks_like_a_request_in_grace(Framing::Length, 10);
    looks_like_a_request_in_grace(Framing::Length, SECOND_HALF);
}

#[test]
fn a_part_of_a_chunk_that_looks_like_a_request_is_not_executed_in_grace() {
    looks_like_a_request_in_grace(Framing::Chunked, 10);
    looks_like_a_request_in_grace(Framing::Chunked, SECOND_HALF);
}

#[test]
fn a_part_of_a_kept_body_that_looks_like_a_request_is_not_executed_in_grace() {
    for framing in [Framing::Length, Framing::Expect, Framing::Chunked] {
        for moment in [10, SECOND_HALF] {
            let [request, part] = [post("keep", framing).head(), post("keep", framing).body()[0].clone()];
            is_as_hyper(Script::new().part(request).enter(Grace(moment)).part(part).part(SMUGGLED).release());
        }
    }
}

/// Another request waits behind one that ends its connection, while its response streams and the drain begins.
fn ends_its_connection(request: Request) {
    let line =
        format!("GET /{} HTTP/{}", request.words, if request.lasting == Lasting::Http10 { "1.0" } else { "1.1" });
    let in_one_packet = Script::new().pipelined([request.whole(), next()]);
    let in_two_packets = Script::new().request(request.whole()).request(next());
    for script in [in_one_packet, in_two_packets] {
        for moment in [Grace(10), Grace(SECOND_HALF), Drain] {
            let script = script.clone().enter(moment).request(next()).release();
            sees(script.clone(), &[&line]);
            is_as_hyper(script);
        }
    }
}

#[test]
fn nothing_is_executed_behind_a_request_that_says_close() {
    ends_its_connection(get("stream").lasting(Lasting::Http11Close));
}

#[test]
fn nothing_is_executed_behind_a_response_that_says_close() {
    ends_its_connection(get("close/stream"));
}

#[test]
fn the_close_delimited_body_of_http_10_holds_no_second_response() {
    ends_its_connection(get("stream").lasting(Lasting::Http10));
}

#[test]
fn a_request_behind_a_stream_that_yields_once_before_its_end_is_executed_in_the_drain() {
    // hyper polls the body twice, and ends its poll without a look at the request in its buffer.
    let script = Script::new().pipelined([get("stream/yield").whole(), next()]).enter(Drain).release();
    sees(script.clone(), &["GET /stream/yield HTTP/1.1", "GET /next HTTP/1.1"]);
    is_as_hyper(script);
}

/// The client speaks another protocol, and is echoed.
fn echoes(script: Script) -> Script {
    script.part("one").part(SMUGGLED).half_close()
}

#[test]
fn a_tunnel_over_http_10_opens_while_the_process_serves() {
    is_as_hyper(echoes(Script::new().request(get("up.x:443").method("CONNECT").lasting(Lasting::Http10).head())));
}

#[test]
fn an_upgrade_after_a_continue_works_while_the_process_serves() {
    let request = post("all/up", Framing::Expect).headers(UPGRADE);
    let [first, second] = request.body();
    is_as_hyper(echoes(Script::new().part(request.head()).part(first).request(second)));
}

#[test]
fn an_upgrade_that_shares_a_write_with_the_response_before_it_works_while_the_process_serves() {
    let requests = [next(), get("up").headers(UPGRADE).head()];
    is_as_hyper_with(Settings::with("pipeline_flush"), echoes(Script::new().pipelined(requests)));
}

#[test]
fn a_101_says_nothing_of_closing_in_grace_though_its_request_came_in_two_packets() {
    let head = get("up").headers(UPGRADE).head();
    for cut in [10, 30, head.len() - 10] {
        let (first, second) = head.split_at(cut);
        for moment in [Grace(10), Grace(SECOND_HALF), Drain] {
            let script = Script::new().part(first).enter(moment).request(second);
            is_as_hyper(echoes(script));
            is_as_hyper(echoes(Script::new().request(next()).enter(moment).part(first).request(second)));
        }
    }
}

/// An idle client sends this request in the second half of grace.
fn is_asked_to_reconnect(line: &str) {
    let request = format!("{line} /len HTTP/1.1\r\nhost: x\r\n\r\n");
    let idle = Script::new().request(&request).enter(Grace(SECOND_HALF));
    is_as_hyper(idle.clone().request(&request));
    let (first, second) = request.split_at(1);
    is_as_hyper(idle.part(first).request(second));
}

#[test]
fn clients_with_lower_case_methods_are_asked_to_reconnect() {
    is_asked_to_reconnect("get");
}

#[test]
fn clients_with_digits_in_their_methods_are_asked_to_reconnect() {
    is_asked_to_reconnect("M2");
}

#[test]
fn clients_that_send_a_leading_crlf_are_asked_to_reconnect() {
    is_asked_to_reconnect("\r\nGET");
}

#[test]
fn clients_whose_early_responses_left_a_body_are_asked_to_reconnect() {
    for method in ["get", "M2", "\r\nGET"] {
        let request = format!("{method} /len HTTP/1.1\r\nhost: x\r\n\r\n");
        let kept = post("keep", Framing::Length);
        let [first, second] = kept.body();
        let script = Script::new().part(kept.head()).part(first).request(second).release();
        is_as_hyper(script.enter(Grace(SECOND_HALF)).request(request));
    }
}
