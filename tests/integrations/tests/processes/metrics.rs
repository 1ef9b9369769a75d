//! Metrics by the names in the documentation of `graceful::metrics`.

use graceful_tests::{App, Client, Signal};

#[test]
fn phases_in_flight_hooks_and_checks_have_metrics() {
    let mut app = App::new(env!("CARGO_BIN_EXE_metrics")).start();
    app.logs("serving: ready");
    app.prints("gauge graceful_phase{} =1");
    app.prints("gauge graceful_check_ok{check=db,on=readiness} =1");
    app.prints("gauge graceful_check_ok{check=cache,on=liveness} =0");
    app.prints("gauge graceful_in_flight{name=task uploader} =1");
    // A gauge is sampled once a second: a task that ends before its first sample has none.
    app.prints("gauge graceful_in_flight{name=task indexer} =1");
    app.send_line("release");
    app.prints("gauge graceful_in_flight{name=task indexer} =0");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(3).prints_in_order(&[
        "gauge graceful_phase{} =1",
        "gauge graceful_phase{} =2",
        "gauge graceful_phase{} =3",
        "gauge graceful_phase{} =4",
        "counter graceful_cut_total{name=task uploader} +1",
        "histogram graceful_hook_duration_seconds{hook=flush,outcome=ok} seconds",
        "histogram graceful_hook_duration_seconds{hook=close,outcome=failed} seconds",
        "gauge graceful_phase{} =5",
    ]);
}

#[test]
fn work_finished_in_the_drain_is_counted() {
    let mut app = App::new(env!("CARGO_BIN_EXE_metrics")).env("GRACEFUL_DRAIN", "1s").start();
    app.logs("serving: ready");
    app.begin_drain();
    app.send_line("release");
    let ended = app.end();
    ended
        .with_code(3)
        .prints_in_order(&["counter graceful_drained_total{} +1", "counter graceful_cut_total{name=task uploader} +1"]);
}

#[test]
fn the_connections_of_a_server_have_a_gauge() {
    let app = App::new(env!("CARGO_BIN_EXE_metrics")).start();
    let address = app.ready();
    let gauge = |is| format!("gauge graceful_connections{{server={address}}} ={is}");
    app.prints(&gauge(0)); // the gauge exists before the first connection
    let client = Client::new(address);
    app.prints(&gauge(1));
    let before = app.so_far().matches(&gauge(0)).count();
    drop(client);
    app.prints_times(&gauge(0), before + 1);
}

#[test]
fn a_main_that_is_cut_is_counted() {
    let app = App::new(env!("CARGO_BIN_EXE_metrics")).env("MAIN", "stay").start();
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    app.end().with_code(3).prints_in_order(&["counter graceful_cut_total{name=main} +1"]);
}
