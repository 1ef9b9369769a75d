//! Cases of RFC 9112 and RFC 9110 by section, against bare hyper and `serve` in every phase; and requests that are cut at
//! every byte.
//!
//! Each case has the verdict of the RFC. Where hyper's is another one, the case says so, and `serve` does as hyper.

use crate::{
    compare::{Case, check_all},
    request::{Framing, get, post},
    run::Server,
    script::{Moment, Script},
    transport::Transport,
};
use Verdict::{Accepts, Closes, Either, Refuses};
use std::env;

/// What the RFC has a server do with a request, and with the one behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The request is executed, and the one behind it.
    Accepts,
    /// The request is executed, and ends its connection.
    Closes,
    /// The request is an error that ends its connection, and nothing behind it is executed.
    Refuses,
    /// The RFC leaves it open.
    Either,
}

/// A request, by section: the verdict of the RFC, and hyper's if that is another one.
struct Rule(&'static str, &'static str, Verdict, Option<Verdict>, String);

fn rule(section: &'static str, name: &'static str, verdict: Verdict, request: impl Into<String>) -> Rule {
    Rule(section, name, verdict, None, request.into())
}

/// A GET with this first line and these header lines.
fn head(line: &str, headers: &str) -> String {
    format!("{line}\r\nhost: x\r\n{headers}\r\n")
}

/// A POST whose body is read.
fn body(headers: &str, body: &str) -> String {
    format!("POST /all HTTP/1.1\r\nhost: x\r\n{headers}\r\n{body}")
}

fn chunked(chunks: &str) -> String {
    body("transfer-encoding: chunked\r\n", chunks)
}

const GET: &str = "GET /len HTTP/1.1";

fn messages() -> Vec<Rule> {
    vec![
        rule("9112 2.2", "a CRLF in front of the request line", Accepts, format!("\r\n{}", head(GET, ""))),
        rule("9112 2.2", "bare LF", Either, head(GET, "").replace('\r', "")),
        rule("9112 2.2", "a bare CR in a value", Either, head(GET, "a: b\rc\r\n")),
        rule("9112 2.2", "white space in front of the first header", Either, format!("{GET}\r\n host: x\r\n\r\n")),
        rule("9112 2.3", "a later minor version", Either, head("GET /len HTTP/1.2", "")),
        rule("9112 2.3", "another major version", Refuses, head("GET /len HTTP/3.0", "")),
        rule("9112 2.3", "a version in lower case", Refuses, head("GET /len http/1.1", "")),
        rule("9112 2.3", "a version without a point", Refuses, head("GET /len HTTP/11", "")),
        rule("9112 2.3", "a version of two digits", Refuses, head("GET /len HTTP/1.10", "")),
        rule("9112 2.3", "no version", Either, head("GET /len", "")),
        rule("9112 3", "two spaces in the request line", Either, head("GET  /len HTTP/1.1", "")),
        rule("9112 3", "a tab in the request line", Either, head("GET\t/len HTTP/1.1", "")),
        rule("9112 3", "a space behind the version", Either, head("GET /len HTTP/1.1 ", "")),
        rule("9112 3", "a target of 8000 bytes", Accepts, head(&format!("GET /len?{} HTTP/1.1", "a".repeat(8000)), "")),
        rule(
            "9112 3",
            "a target of 70000 bytes",
            Refuses,
            head(&format!("GET /len?{} HTTP/1.1", "a".repeat(70_000)), ""),
        ),
        rule("9112 3.2", "a space in the target", Refuses, head("GET /len x HTTP/1.1", "")),
        rule("9112 3.2", "a fragment", Either, head("GET /len#a HTTP/1.1", "")),
        rule("9112 3.2", "a byte above ASCII in the target", Either, head("GET /len?\u{e9} HTTP/1.1", "")),
        Rule("9112 3.2", "no Host", Refuses, Some(Accepts), format!("{GET}\r\n\r\n")),
        Rule("9112 3.2", "two Hosts", Refuses, Some(Accepts), head(GET, "host: y\r\n")),
        Rule("9112 3.2", "an invalid Host", Refuses, Some(Accepts), format!("{GET}\r\nhost: a b\r\n\r\n")),
        rule("9112 3.2", "an empty Host", Accepts, format!("{GET}\r\nhost:\r\n\r\n")),
        rule("9112 3.2.1", "a target without a slash", Either, head("GET len HTTP/1.1", "")),
        rule("9112 3.2.2", "an absolute target", Accepts, head("GET http://x/len HTTP/1.1", "")),
        rule("9112 3.2.2", "an absolute target and another Host", Accepts, head("GET http://y/len HTTP/1.1", "")),
        rule("9112 3.2.3", "CONNECT with a path", Either, head("CONNECT /len HTTP/1.1", "")),
        rule("9112 3.2.3", "CONNECT without a port", Either, head("CONNECT x HTTP/1.1", "")),
        rule("9112 3.2.4", "OPTIONS *", Accepts, head("OPTIONS * HTTP/1.1", "")),
        rule("9112 3.2.4", "GET *", Either, head("GET * HTTP/1.1", "")),
    ]
}

fn fields() -> Vec<Rule> {
    let many = |count: usize| head(GET, &(0..count).map(|at| format!("a{at}: 1\r\n")).collect::<String>());
    vec![
        rule("9110 5.1", "header names of every case", Accepts, head(GET, "X-A: 1\r\nx-a: 2\r\n")),
        rule("9110 5.5", "a tab in a value", Accepts, head(GET, "a: b\tc\r\n")),
        rule("9110 5.5", "bytes above ASCII in a value", Accepts, head(GET, "a: \u{e9}\r\n")),
        rule("9110 5.5", "an empty value", Accepts, head(GET, "a:\r\n")),
        rule("9110 5.5", "a NUL in a value", Either, head(GET, "a: b\0c\r\n")),
        rule("9110 5.5", "a control character in a value", Either, head(GET, "a: b\u{1}c\r\n")),
        rule("9112 5", "a header without a colon", Refuses, head(GET, "nonsense\r\n")),
        rule("9112 5", "a header without a name", Refuses, head(GET, ": a\r\n")),
        rule("9112 5", "a name with a slash", Refuses, head(GET, "a/b: c\r\n")),
        rule("9112 5.1", "a space in front of the colon", Refuses, head(GET, "a : b\r\n")),
        rule("9112 5.1", "a tab in front of the colon", Refuses, head(GET, "a\t: b\r\n")),
        rule("9112 5.1", "a space in front of the colon of a length", Refuses, body("content-length : 2\r\n", "ab")),
        rule("9112 5.2", "obs-fold", Either, head(GET, "a: b\r\n c\r\n")),
        rule("9112 5.2", "obs-fold of a length", Either, body("content-length:\r\n 2\r\n", "ab")),
        rule("9110 5.4", "a hundred headers", Accepts, many(99)),
        rule("9110 5.4", "a thousand headers", Either, many(1000)),
        rule("9110 5.4", "a header of 100 kB", Either, head(GET, &format!("a: {}\r\n", "b".repeat(100_000)))),
        rule("9110 5.4", "a header of a megabyte", Either, head(GET, &format!("a: {}\r\n", "b".repeat(1 << 20)))),
        rule("9110 9.1", "a method with a parenthesis", Refuses, head("GE(T /len HTTP/1.1", "")),
        rule("9110 9.1", "an unknown method", Accepts, head("FROB /len HTTP/1.1", "")),
        rule("9110 9.3.2", "HEAD", Accepts, head("HEAD /len HTTP/1.1", "")),
        rule("9110 9.3.2", "HEAD of a chunked response", Accepts, head("HEAD /chunk HTTP/1.1", "")),
        rule("9110 9.3.8", "TRACE", Accepts, head("TRACE /len HTTP/1.1", "")),
        rule(
            "9110 10.1.1",
            "Expect: 100-continue",
            Accepts,
            body("content-length: 2\r\nexpect: 100-continue\r\n", "ab"),
        ),
        rule(
            "9110 10.1.1",
            "Expect in another case",
            Accepts,
            body("content-length: 2\r\nExpect: 100-Continue\r\n", "ab"),
        ),
        rule("9110 10.1.1", "an unknown expectation", Either, head(GET, "expect: x\r\n")),
        rule(
            "9110 7.8",
            "an offer of h2c",
            Accepts,
            head(GET, "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"),
        ),
        rule("9110 7.8", "Upgrade without Connection", Accepts, head(GET, "upgrade: echo\r\n")),
        rule("9112 9.3", "Connection: close", Closes, head(GET, "connection: close\r\n")),
        rule("9112 9.3", "Connection: Close", Closes, head(GET, "connection: Close\r\n")),
        rule("9112 9.3", "close among other tokens", Closes, head(GET, "connection: a, close\r\n")),
        rule("9112 9.3", "close in a second Connection", Closes, head(GET, "connection: a\r\nconnection: close\r\n")),
        rule("9112 9.3", "HTTP/1.0", Closes, head("GET /len HTTP/1.0", "")),
        rule("9112 9.3", "HTTP/1.0 with keep-alive", Accepts, head("GET /len HTTP/1.0", "connection: keep-alive\r\n")),
    ]
}

fn framing() -> Vec<Rule> {
    let length = |value: &str| body(&format!("content-length: {value}\r\n"), "ab");
    let encoded = |value: &str| body(&format!("transfer-encoding: {value}\r\n"), "2\r\nab\r\n0\r\n\r\n");
    vec![
        rule(
            "9112 6.1",
            "a length and chunks",
            Either,
            body("content-length: 2\r\ntransfer-encoding: chunked\r\n", "2\r\nab\r\n0\r\n\r\n"),
        ),
        rule("9112 6.1", "chunks in HTTP/1.0", Either, encoded("chunked").replace("1.1", "1.0")),
        rule("9112 6.1", "gzip, chunked", Either, encoded("gzip, chunked")),
        rule("9112 6.1", "chunked twice", Either, encoded("chunked, chunked")),
        rule("9112 6.1", "a coding in upper case", Accepts, encoded("CHUNKED")),
        rule("9112 6.3", "chunked is not last", Refuses, encoded("chunked, gzip")),
        rule("9112 6.3", "an unknown coding", Refuses, encoded("xchunked")),
        rule("9112 6.3", "identity", Refuses, encoded("identity")),
        rule(
            "9112 6.3",
            "a second coding that is not chunked",
            Refuses,
            encoded("chunked\r\ntransfer-encoding: identity"),
        ),
        rule("9112 6.3", "a vertical tab in front of a coding", Refuses, encoded("\u{b}chunked")),
        rule("9110 8.6", "a length", Accepts, length("2")),
        rule("9110 8.6", "a length with zeros", Accepts, length("0000000002")),
        rule("9110 8.6", "a length with a sign", Refuses, length("+2")),
        rule("9110 8.6", "a negative length", Refuses, length("-2")),
        rule("9110 8.6", "a hexadecimal length", Refuses, length("0x2")),
        rule("9110 8.6", "a length that is no number", Refuses, length("two")),
        rule("9110 8.6", "an empty length", Refuses, length("")),
        rule("9110 8.6", "a length of 2 to the power of 64", Refuses, length("18446744073709551616")),
        rule("9110 8.6", "a list of equal lengths", Either, length("2, 2")),
        rule("9110 8.6", "a list of different lengths", Refuses, length("2, 3")),
        rule("9110 8.6", "two equal lengths", Either, length("2\r\ncontent-length: 2")),
        rule("9110 8.6", "two different lengths", Refuses, length("2\r\ncontent-length: 3")),
        rule("9112 7.1", "chunks", Accepts, chunked("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")),
        rule(
            "9112 7.1",
            "a size in hexadecimal of both cases",
            Accepts,
            chunked("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
        ),
        rule("9112 7.1", "a size with zeros", Accepts, chunked("0002\r\nab\r\n000\r\n\r\n")),
        rule("9112 7.1", "a size of 2 to the power of 64", Refuses, chunked("10000000000000000\r\nab\r\n0\r\n\r\n")),
        rule("9112 7.1", "a size with a prefix", Refuses, chunked("0x2\r\nab\r\n0\r\n\r\n")),
        rule("9112 7.1", "a negative size", Refuses, chunked("-2\r\nab\r\n0\r\n\r\n")),
        rule("9112 7.1", "no size", Refuses, chunked("\r\nab\r\n0\r\n\r\n")),
        rule("9112 7.1", "a space behind a size", Either, chunked("2 \r\nab\r\n0\r\n\r\n")),
        rule("9112 7.1", "a space in front of a size", Refuses, chunked(" 2\r\nab\r\n0\r\n\r\n")),
        rule("9112 7.1", "LF behind a size", Refuses, chunked("2\nab\r\n0\r\n\r\n")),
        rule("9112 7.1", "LF behind the data", Refuses, chunked("2\r\nab\n0\r\n\r\n")),
        rule("9112 7.1", "more data than the size", Refuses, chunked("2\r\nabc\r\n0\r\n\r\n")),
        rule("9112 7.1.1", "an extension", Accepts, chunked("2;a=b\r\nab\r\n0;c\r\n\r\n")),
        rule("9112 7.1.1", "a quoted extension", Accepts, chunked("2;a=\"b c\"\r\nab\r\n0\r\n\r\n")),
        rule("9112 7.1.1", "LF in an extension", Refuses, chunked("2;a\nb\r\nab\r\n0\r\n\r\n")),
        rule(
            "9112 7.1.1",
            "an extension of 20 kB",
            Either,
            chunked(&format!("2;{}\r\nab\r\n0\r\n\r\n", "a".repeat(20_000))),
        ),
        rule("9112 7.1.2", "a trailer", Accepts, chunked("2\r\nab\r\n0\r\nsum: 1\r\n\r\n")),
        rule("9112 7.1.2", "a length in a trailer", Accepts, chunked("2\r\nab\r\n0\r\ncontent-length: 9\r\n\r\n")),
        rule("9112 7.1.2", "a trailer without a colon", Refuses, chunked("2\r\nab\r\n0\r\nsum\r\n\r\n")),
        rule(
            "9112 7.1.2",
            "a trailer of 20 kB",
            Either,
            chunked(&format!("2\r\nab\r\n0\r\nsum: {}\r\n\r\n", "a".repeat(20_000))),
        ),
        rule("9112 6.3", "a GET with a length", Accepts, head("GET /all HTTP/1.1", "content-length: 0\r\n")),
        rule("9112 6.3", "a GET with chunks", Accepts, chunked("2\r\nab\r\n0\r\n\r\n").replace("POST", "GET")),
    ]
}

fn rules() -> Vec<Rule> {
    [messages(), fields(), framing()].into_iter().flatten().collect()
}

impl Rule {
    fn name(&self) -> String {
        format!("RFC {}: {}", self.0, self.1)
    }

    /// The request in two parts, and another behind it.
    fn script(&self) -> Script {
        let bytes = self.4.as_bytes();
        let (first, second) = bytes.split_at(bytes.len() / 2);
        Script::new().part(first).request(second).request(get("next").whole())
    }
}

#[test]
fn each_rule_of_the_rfcs_is_kept_by_both_servers() {
    let mut wrong = Vec::new();
    for rule in rules() {
        for server in [Server::Hyper(Default::default()), Server::Serve] {
            let case = Case::new(rule.name(), rule.script()).over(Transport::Memory);
            let outcome = case.run(&server);
            let is_next = |line: &str| line.starts_with("GET /next ");
            let next = outcome.seen.last().is_some_and(|seen| is_next(&seen.line));
            let failed =
                matches!(outcome.seen.first(), Some(seen) if format!("{:?}", seen.body_end).contains("Failed"));
            let found = match (outcome.seen.len(), outcome.end) {
                (2, None) if next => Accepts,
                (1, Some(_)) if !next && !failed => Closes,
                (..=1, Some(_)) if !next => Refuses,
                _ => Either,
            };
            let Rule(_, _, verdict, of_hyper, _) = rule;
            if verdict != Either && found != of_hyper.unwrap_or(verdict) {
                let status = String::from_utf8_lossy(&outcome.bytes[..outcome.bytes.len().min(12)]).into_owned();
                wrong.push(format!(
                    "{} ({server:?}): {found:?}, not {verdict:?}: {status} {:?}",
                    rule.name(),
                    outcome.seen
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const MOMENTS: [Moment; 3] = [Moment::Grace(25), Moment::Grace(60), Moment::Drain];

#[test]
fn each_rule_of_the_rfcs_is_the_same_in_every_phase() {
    let cases = rules().into_iter().flat_map(|rule| {
        let (name, script) = (rule.name(), rule.script());
        let steps = script.steps.len();
        let places = MOMENTS.into_iter().flat_map(move |moment| (0..=steps).map(move |at| (moment, at)));
        let serving = Case::new(name.clone(), script.clone());
        let others = places.map(move |(moment, at)| {
            Case::new(format!("{name}, {moment:?} at {at}"), script.with_moment_at(at, moment))
        });
        std::iter::once(serving).chain(others).map(|case| case.over(Transport::Memory))
    });
    check_all(cases);
}

/// The environment variable that has requests cut at every byte, rather than at some.
const ALL: &str = "GRACEFUL_ORACLE_ALL";

#[test]
fn a_request_that_is_cut_at_any_byte_is_the_same_in_every_phase() {
    let requests = [
        get("len").whole(),
        get("late/stream").whole(),
        post("all", Framing::Length).whole(),
        post("early", Framing::Length).whole(),
        post("all/late", Framing::Trailer).whole(),
        post("half/stream", Framing::Chunked).whole(),
        post("all", Framing::ExpectChunked).whole(),
        post("keep", Framing::Length).whole(),
    ];
    let rules = rules().into_iter().map(|rule| (rule.name(), rule.4.into_bytes()));
    let rules = rules.filter(|(_, bytes)| bytes.len() < 1000);
    let all: Vec<_> = requests.into_iter().map(|bytes| ("a request".to_owned(), bytes)).chain(rules).collect();
    let step = if env::var_os(ALL).is_some() { 1 } else { 29 };
    let cases = all.iter().enumerate().flat_map(|(number, (name, bytes))| {
        let cuts = (number % step..=bytes.len()).step_by(step);
        cuts.flat_map(move |cut| {
            let (first, second) = bytes.split_at(cut);
            // Before the request, at the cut, and behind it; the drain also follows grace.
            let begun = || Script::new().part(first);
            let at_the_cut = MOMENTS.map(|moment| begun().enter(moment).request(second));
            let behind = MOMENTS.map(|moment| begun().request(second).enter(moment));
            let before = MOMENTS
                .map(|moment| Script::new().request(get("next").whole()).enter(moment).part(first).request(second));
            let twice = begun().enter(Moment::Grace(60)).request(second).enter(Moment::Drain);
            let scripts = [&at_the_cut[..], &behind, &before, &[begun().request(second), twice]].concat();
            let scripts =
                scripts.into_iter().map(|script| script.release().release().release().request(get("next").whole()));
            scripts.map(move |script| Case::new(format!("{name}, cut at {cut}"), script).over(Transport::Memory))
        })
    });
    check_all(cases);
}
