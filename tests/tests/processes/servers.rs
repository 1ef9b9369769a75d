//! Servers that `main` spawns and does not await, or whose future it drops.

use graceful_tests::{App, Client, Signal, pulse::on_a_responsive_machine};
use std::time::Duration;

fn server(kind: &str) -> App {
    App::new(env!("CARGO_BIN_EXE_servers")).env("SERVER", kind)
}

/// Twenty requests arrive while no thread is free for the server, and are served after `main` returned.
fn serves_after_main_returned(idle: usize, queued: usize) {
    let mut app = server("spawned, and busy from grace on").start();
    let mut clients: Vec<_> = (0..idle).map(|_| app.client()).collect();
    for client in &mut clients {
        assert!(!client.get("/fast").has_connection_close());
    }
    let address = app.ready();
    app.signal(Signal::TERM);
    app.prints("every worker is blocked");
    // The kernel completes these connections; the server can't accept them yet.
    clients.extend((0..queued).map(|_| Client::new(address)));
    clients.iter_mut().for_each(|client| client.send("/fast"));
    app.logs("draining: ");
    app.logs("main returned");
    app.send_line("release");
    for client in &mut clients {
        client.last_response();
    }
    let ended = app.end();
    ended.with_code(0).prints_in_order(&["the hook has run"]);
    let awaited = format!("server on {address}");
    ended.logs_in_order(&["draining: waiting up to 20s for main", &awaited, "main returned", "hooks: nothing"]);
}

#[test]
fn connections_in_the_accept_queue_of_a_spawned_server_are_served_after_main_returned() {
    serves_after_main_returned(0, 20);
}

#[test]
fn requests_on_idle_connections_of_a_spawned_server_are_served_after_main_returned() {
    serves_after_main_returned(10, 10);
}

/// A request in flight is held until `main` returns in the drain.
fn held_until_main_has_returned(kind: &str) {
    let mut app = server(kind).start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    app.begin_drain();
    app.logs("main returned");
    app.send_line("release");
    assert_eq!(client.last_response().body, "held\n");
    app.end().with_code(0).prints_in_order(&["the hook has run"]).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn a_request_in_flight_of_a_spawned_server_is_served_after_main_returned() {
    held_until_main_has_returned("spawned");
}

#[test]
fn an_idle_spawned_server_ends_at_once_and_is_not_reported_as_drained() {
    let app = server("spawned").start();
    app.ready();
    app.begin_drain();
    let begun = std::time::Instant::now();
    let ended = app.end();
    assert!(ended.at - begun < Duration::from_secs(10), "it took {:?}\n{}", ended.at - begun, ended.all());
    ended.with_code(0).never_logs("CUT").prints_in_order(&["the hook has run"]);
}

#[test]
fn a_request_outlives_its_server_future_dropped_by_select() {
    held_until_main_has_returned("select");
}

#[test]
fn a_request_outlives_its_server_future_dropped_by_try_join_and_the_error_sets_the_exit_code() {
    let mut app = server("try_join").start();
    let (mut client, mut idle) = (app.client(), app.client());
    assert_eq!(idle.get("/fast").status, 200);
    client.send("/held");
    app.prints("in /held");
    app.client().get("/lose");
    app.logs("draining: ");
    idle.expect_close();
    app.send_line("release");
    assert_eq!(client.response().body, "held\n");
    client.expect_close();
    app.end().with_code(1).prints_in_order(&["the hook has run"]).logs_in_order(&["the queue is lost", "exit code 1"]);
}

/// The server's future is dropped while a request never ends.
fn cut_at_the_deadline(kind: &str, code: i32, begin: impl FnOnce(&graceful_tests::Running)) {
    let app = server(kind).env("GRACEFUL_DRAIN", "700ms").start();
    let mut client = app.client();
    client.send("/held");
    app.prints("in /held");
    begin(&app);
    app.logs("draining: ");
    client.expect_disconnect();
    let ended = app.end();
    ended
        .with_code(code)
        .prints_in_order(&["the hook has run"])
        .never_logs("did not end within 100ms of being cancelled");
    ended.logs_in_order(&["draining: ", "hooks: the drain deadline", "CUT: connections on"]);
}

#[test]
fn a_request_of_a_server_dropped_by_select_is_cut_at_the_drain_deadline() {
    on_a_responsive_machine(|| {
        cut_at_the_deadline("select", 3, |app| app.signal(Signal::TERM));
    });
}

#[test]
fn a_request_of_a_server_dropped_by_try_join_is_cut_at_the_drain_deadline() {
    on_a_responsive_machine(|| {
        cut_at_the_deadline("try_join", 1, |app| {
            app.client().get("/lose");
        });
    });
}
