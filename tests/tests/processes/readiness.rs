//! Probe responses from start to exit.

use crate::{hooks_app, main_that, serve};
use graceful_tests::{Client, Poller, Signal, probe};
use std::time::Duration;

#[test]
fn a_poller_sees_200_then_503_draining_and_never_a_refusal_before_the_process_is_gone() {
    // Slow hooks, so that the poller observes their phase.
    let app = hooks_app().env("GRACEFUL_GRACE", "500ms").env("FLUSH", "hang").start();
    app.logs("serving: ready");
    let poller = Poller::start(app.health());
    poller.wait_for_polls(10);
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(3);
    let (polls, refused) = poller.end();
    let margin = Duration::from_secs(1); // between closing the socket and the exit that the parent observes
    assert!(refused + margin > ended.at, "refused {:?} before the end\n{}", ended.at - refused, ended.all());
    assert!(polls.iter().all(|poll| poll.live == 200), "{polls:?}");
    let first_503 = polls.iter().position(|poll| poll.ready.0 != 200).expect("no 503 was seen");
    assert!(first_503 >= 10, "{polls:?}");
    for (status, body) in polls[first_503..].iter().map(|poll| &poll.ready) {
        assert!(*status == 503 && body.starts_with("draining\n"), "{status} {body}");
    }
    for phase in ["phase: grace\n", "phase: hooks\n"] {
        assert!(polls.iter().any(|poll| poll.ready.1.contains(phase)), "{phase} in {polls:?}");
    }
}

#[test]
fn probes_report_the_drain_and_what_is_in_flight() {
    let mut app = serve().env("GRACEFUL_DRAIN", "20s").start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    app.begin_drain();
    let seen = probe(app.health(), "/readyz?verbose").unwrap();
    assert_eq!(seen.status, 503);
    assert!(seen.body.starts_with("draining\nphase: draining\nin flight: 1 connections on 127.0.0.1:"), "{seen:?}");
    app.send_line("release");
    client.response();
    app.end().with_code(0);
}

/// A probe that lists or formats what is in flight delays the others, and the kubelet restarts a process that is only busy.
#[test]
fn the_details_name_100_of_300000_tasks_and_count_the_others() {
    let app = main_that("many tasks").start();
    app.prints("the tasks are spawned");
    let seen = probe(app.health(), "/readyz?verbose").unwrap();
    assert_eq!((seen.status, seen.body.lines().count()), (200, 2 + 100 + 1), "{seen:?}");
    assert!(seen.body.contains("task 99\nin flight: 299900 further tasks and connections\n"), "{seen:?}");
    app.begin_drain();
    app.end().with_code(3);
}

#[test]
fn every_probe_that_arrived_while_the_process_was_stopped_gets_its_response() {
    let app = serve().env("GRACEFUL_PRESTOP_TOKEN", "s3cret").env("GRACEFUL_GRACE", "500ms").start();
    app.ready();
    app.stop();
    let mut hook = Client::new(app.health());
    hook.write("GET /prestop HTTP/1.1\r\nhost: test\r\nx-graceful-token: s3cret\r\n\r\n");
    // More than the health server has connections for, and fewer than its backlog.
    let mut probes: Vec<_> = (0..120).map(|_| Client::new(app.health())).collect();
    probes.iter_mut().for_each(|probe| probe.send("/livez"));
    app.signal(Signal::CONT);
    for probe in &mut probes {
        assert_eq!(probe.response().status, 200);
    }
    assert_eq!(hook.response().body, "grace is over\n");
    app.end().with_code(0);
}

#[test]
fn probes_report_starting_before_ready() {
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
fn probes_respond_to_head_without_a_body_and_with_json_on_request() {
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
    let response = head.read_until("\r\n\r\n").unwrap();
    assert!(response.starts_with("HTTP/1.1 200 ") && response.contains("content-length: 3\r\n"), "{response}");
    head.expect_close(); // no byte of the body `ok`
    let post = ask("POST /readyz HTTP/1.1").response();
    assert!(post.status == 405 && post.head.contains("allow: get, head"), "{post:?}");

    app.begin_drain();
    let json = ask("GET /readyz HTTP/1.1\r\nAccept: application/json").response();
    assert!(json.status == 503 && json.head.contains("content-type: application/json\n"), "{json:?}");
    let body: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!((&body["status"], &body["phase"]), (&"draining".into(), &"draining".into()), "{body}");
    assert_eq!(body["in_flight"][0]["count"], 1, "{body}");
    app.send_line("release");
    held.response();
    app.end().with_code(0);
}

#[test]
fn with_unready_after_grace_readiness_stays_200_during_grace() {
    let app = serve().env("GRACEFUL_UNREADY", "after-grace").env("GRACEFUL_GRACE", "2s").start();
    let mut silent = app.client();
    silent.send("/held"); // delays the drain to its deadline
    app.prints("in /held");
    let health = app.health();
    app.begin_shutdown(Signal::TERM);
    assert_eq!(probe(health, "/readyz").unwrap().status, 200);
    app.logs("draining: ");
    assert_eq!(probe(health, "/readyz").unwrap().status, 503);
    app.signal(Signal::INT);
    app.signal(Signal::INT);
    drop(silent);
    app.end();
}

#[test]
fn with_unready_never_readiness_stays_200_to_the_end() {
    let app = hooks_app().env("GRACEFUL_UNREADY", "never").env("FLUSH", "hang").start();
    app.logs("serving: ready");
    let poller = Poller::start(app.health());
    app.begin_drain();
    app.end().with_code(3);
    let (polls, _) = poller.end();
    assert!(polls.iter().any(|poll| poll.ready.1.contains("phase: hooks")), "{polls:?}");
    assert!(polls.iter().all(|poll| poll.ready.0 == 200), "{polls:?}");
}

#[test]
fn a_probe_succeeds_beside_many_silent_connections() {
    let app = hooks_app().start();
    app.logs("serving: ready");
    let health = app.health();
    let mut crowd: Vec<_> = (0..100).map(|_| Client::new(health)).collect();
    assert_eq!(probe(health, "/readyz").unwrap().status, 200);
    // New connections evict the oldest ones, and the youngest times out.
    crowd[0].expect_disconnect();
    crowd[99].expect_disconnect();
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[test]
fn a_probe_with_a_head_of_more_than_16_kib_is_refused() {
    let app = hooks_app().start();
    app.logs("serving: ready");
    let mut client = Client::new(app.health());
    client.write(&format!("GET /readyz HTTP/1.1\r\nhost: app\r\nx: {}\r\n\r\n", "x".repeat(20 * 1024)));
    // The response can be lost in a reset, because the rest of the head is not read.
    if let Ok(response) = client.try_response() {
        assert_eq!(response.status, 431, "{response:?}");
    }
    assert_eq!(probe(app.health(), "/readyz").unwrap().status, 200);
    app.signal(Signal::TERM);
    app.end().with_code(0);
}
