//! Servers that main has spawned and does not wait for, or whose future it drops.

use graceful_tests::{App, Client, Signal};
use std::time::Duration;

fn server(kind: &str) -> App {
    App::new(env!("CARGO_BIN_EXE_servers")).env("SERVER", kind)
}

/// Twenty requests are written, by these clients, when no thread is free for the server; main has returned when one is.
fn answered_though_main_has_returned(idle: usize, queued: usize) {
    let mut app = server("spawned, and busy from grace on").start();
    let mut clients: Vec<_> = (0..idle).map(|_| app.client()).collect();
    for client in &mut clients {
        assert!(!client.get("/fast").says_close());
    }
    let address = app.ready();
    app.signal(Signal::TERM);
    app.prints("every worker is blocked");
    // The kernel completes these, and nobody can accept them.
    clients.extend((0..queued).map(|_| Client::new(address)));
    clients.iter_mut().for_each(|client| client.send("/fast"));
    app.says("draining: ");
    app.says("main returned");
    app.tell("release");
    for client in &mut clients {
        client.last_response();
    }
    let ended = app.end();
    ended.with_code(0).prints_in_order(&["the hook has run"]);
    let awaited = format!("server on {address}");
    ended.says_in_order(&["draining: waiting up to 20s for main", &awaited, "main returned", "hooks: nothing"]);
}

#[test]
fn connections_in_the_queue_of_a_spawned_server_are_answered_though_main_has_returned() {
    answered_though_main_has_returned(0, 20);
}

#[test]
fn requests_on_idle_connections_of_a_spawned_server_are_answered_though_main_has_returned() {
    answered_though_main_has_returned(10, 10);
}

/// A request of this server is held until main has returned, in the drain.
fn held_until_main_has_returned(kind: &str) {
    let mut app = server(kind).start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    app.begin_drain();
    app.says("main returned");
    app.tell("release");
    assert_eq!(client.last_response().body, "held\n");
    app.end().with_code(0).prints_in_order(&["the hook has run"]).says_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn a_request_that_a_spawned_server_handles_is_answered_though_main_has_returned() {
    held_until_main_has_returned("spawned");
}

#[test]
fn a_spawned_server_with_nothing_to_do_ends_at_once_and_is_no_work_that_was_drained() {
    let app = server("spawned").start();
    app.ready();
    app.begin_drain();
    let begun = std::time::Instant::now();
    let ended = app.end();
    assert!(ended.at - begun < Duration::from_secs(10), "it took {:?}\n{}", ended.at - begun, ended.all());
    ended.with_code(0).never_says("CUT").prints_in_order(&["the hook has run"]);
}

#[test]
fn a_request_outlives_the_future_of_its_server_that_a_select_drops() {
    held_until_main_has_returned("select");
}

#[test]
fn a_request_outlives_the_future_of_its_server_that_a_try_join_drops_and_the_error_is_the_exit_code() {
    let mut app = server("try_join").start();
    let (mut client, mut idle) = (app.client(), app.client());
    assert_eq!(idle.get("/fast").status, 200);
    client.send("/held");
    app.prints("in /held");
    app.client().get("/lose");
    app.says("draining: ");
    idle.is_closed();
    app.tell("release");
    assert_eq!(client.response().body, "held\n");
    client.is_closed();
    app.end().with_code(1).prints_in_order(&["the hook has run"]).says_in_order(&["the queue is lost", "exit code 1"]);
}

/// The server's future is dropped while a request is held for good.
fn cut_at_the_deadline(kind: &str, code: i32, begin: impl FnOnce(&graceful_tests::Running)) {
    let app = server(kind).env("GRACEFUL_DRAIN", "700ms").start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    begin(&app);
    app.says("draining: ");
    client.is_cut();
    let ended = app.end();
    ended.with_code(code).prints_in_order(&["the hook has run"]).never_says("did not give way");
    ended.says_in_order(&["draining: ", "hooks: the drain deadline", "CUT: connections on"]);
}

#[test]
fn a_request_of_a_server_that_a_select_has_dropped_is_cut_at_the_drain_deadline() {
    cut_at_the_deadline("select", 3, |app| app.signal(Signal::TERM));
}

#[test]
fn a_request_of_a_server_that_a_try_join_has_dropped_is_cut_at_the_drain_deadline() {
    cut_at_the_deadline("try_join", 1, |app| {
        app.client().get("/lose");
    });
}
