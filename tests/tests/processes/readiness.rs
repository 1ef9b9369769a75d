//! What probes see, from the start to the end.

use crate::{hooks_app, main_that, serve};
use graceful_tests::{Client, Poller, Signal, probe};
use std::time::Duration;

#[test]
fn a_poller_sees_200_then_503_draining_and_never_a_refusal_before_the_process_is_gone() {
    // Hooks that take a while, so that the poller sees their phase too.
    let app = hooks_app().env("GRACEFUL_GRACE", "500ms").env("FLUSH", "hang").start();
    app.says("serving: ready");
    let poller = Poller::start(app.health());
    poller.polls(10);
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(3);
    let (answers, refused) = poller.end();
    let margin = Duration::from_secs(1); // between the closing of the socket and the end that the parent sees
    assert!(refused + margin > ended.at, "refused {:?} before the end\n{}", ended.at - refused, ended.all());
    assert!(answers.iter().all(|answer| answer.live == 200), "{answers:?}");
    let first_503 = answers.iter().position(|answer| answer.ready.0 != 200).expect("no 503 was seen");
    assert!(first_503 >= 10, "{answers:?}");
    for (status, body) in answers[first_503..].iter().map(|answer| &answer.ready) {
        assert!(*status == 503 && body.starts_with("draining\n"), "{status} {body}");
    }
    for phase in ["phase: grace\n", "phase: hooks\n"] {
        assert!(answers.iter().any(|answer| answer.ready.1.contains(phase)), "{phase} in {answers:?}");
    }
}

#[test]
fn probes_see_the_drain_and_what_is_in_flight() {
    let mut app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    app.begin_drain();
    let seen = probe(app.health(), "/readyz?verbose").unwrap();
    assert_eq!(seen.status, 503);
    assert!(seen.body.starts_with("draining\nphase: draining\nin flight: 1 connections on 127.0.0.1:"), "{seen:?}");
    app.tell("release");
    client.response();
    app.end().with_code(0);
}

#[test]
fn before_it_is_ready_probes_see_starting() {
    let app = main_that("connect").start();
    app.prints("connecting");
    let health = app.health();
    for (path, status, body) in [
        ("/readyz", 503, "starting\n"),
        ("/healthz", 503, "starting\n"),
        ("/health", 503, "starting\n"),
        ("/startupz", 503, "starting\n"),
        ("/livez", 200, "ok\n"),
    ] {
        let seen = probe(health, path).unwrap();
        assert_eq!((seen.status, seen.body.as_str()), (status, body), "{path}");
    }
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn probes_are_answered_to_head_without_a_body_and_in_json_to_whoever_asks_for_it() {
    let mut app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut held = app.client();
    held.send("/held");
    app.prints("in /held");
    let ask = |head: &str| {
        let mut client = Client::new(app.health());
        client.write(&format!("{head}\r\nHost: test\r\n\r\n"));
        client
    };
    let mut head = ask("HEAD /readyz HTTP/1.1");
    let answer = head.until("\r\n\r\n").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("content-length: 3\r\n"), "{answer}");
    head.is_closed(); // not a byte of `ok`
    let post = ask("POST /readyz HTTP/1.1").response();
    assert!(post.status == 405 && post.head.contains("allow: get, head"), "{post:?}");

    app.begin_drain();
    let json = ask("GET /readyz HTTP/1.1\r\nAccept: application/json").response();
    assert!(json.status == 503 && json.head.contains("content-type: application/json\n"), "{json:?}");
    let said: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!((&said["status"], &said["phase"]), (&"draining".into(), &"draining".into()), "{said}");
    assert_eq!(said["in_flight"][0]["count"], 1, "{said}");
    app.tell("release");
    held.response();
    app.end().with_code(0);
}

#[test]
fn unready_after_grace_keeps_readiness_through_grace() {
    let app = serve().env("GRACEFUL_UNREADY", "after-grace").env("GRACEFUL_GRACE", "700ms").start();
    let mut silent = app.client();
    silent.send("/held"); // holds the drain until its deadline
    app.prints("in /held");
    let health = app.health();
    app.begin_shutdown(Signal::TERM);
    assert_eq!(probe(health, "/readyz").unwrap().status, 200);
    app.says("draining: ");
    assert_eq!(probe(health, "/readyz").unwrap().status, 503);
    app.signal(Signal::INT);
    app.signal(Signal::INT);
    drop(silent);
    app.end();
}

#[test]
fn unready_never_keeps_readiness_to_the_end() {
    let app = hooks_app().env("GRACEFUL_UNREADY", "never").env("FLUSH", "hang").start();
    app.says("serving: ready");
    let poller = Poller::start(app.health());
    app.begin_drain();
    app.end().with_code(3);
    let (answers, _) = poller.end();
    assert!(answers.iter().any(|answer| answer.ready.1.contains("phase: hooks")), "{answers:?}");
    assert!(answers.iter().all(|answer| answer.ready.0 == 200), "{answers:?}");
}

#[test]
fn a_probe_gets_in_beside_a_crowd_of_connections_that_say_nothing() {
    let app = hooks_app().start();
    app.says("serving: ready");
    let health = app.health();
    let mut crowd: Vec<_> = (0..100).map(|_| Client::new(health)).collect();
    assert_eq!(probe(health, "/readyz").unwrap().status, 200);
    // The oldest made room, and the youngest runs into the timeout.
    crowd[0].is_cut();
    crowd[99].is_cut();
    app.signal(Signal::TERM);
    app.end().with_code(0);
}
