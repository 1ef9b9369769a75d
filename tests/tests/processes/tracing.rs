//! What a subscriber of the user's is told, where, and in which spans.

use crate::hooks_app;
use graceful_tests::Signal;
use std::time::Duration;

#[test]
fn a_subscriber_hears_of_phases_and_hooks_in_spans_and_fields_and_stderr_hears_nothing_of_it() {
    let app = hooks_app().env("SUBSCRIBER", "yes").env("FLUSH", "fail").start();
    app.says("serving: ready");
    app.begin_drain();
    let ended = app.end();
    let heard: Vec<_> = ended.said.lines().filter_map(|line| line.strip_prefix("graceful-log: ")).collect();
    let mut rest = heard.iter();
    for (level, span, fields, message) in [
        ("INFO", "", "", "hook 1 flush (graceful-tests "), // the start: no phase was entered yet
        ("INFO", "phase phase=\"serving\"", " phase=\"serving\"", " serving: ready "),
        ("INFO", "phase phase=\"grace\"", " phase=\"grace\"", " grace: after SIGTERM"),
        ("INFO", "phase phase=\"draining\"", " phase=\"draining\"", " draining: waiting up to "),
        ("INFO", "phase phase=\"hooks\"", " phase=\"hooks\"", " hooks: nothing is in flight"),
        (
            "ERROR",
            "phase phase=\"hooks\"",
            " hook=\"flush\" order=1 outcome=\"failed\" took_ms=",
            " hook 1 flush (graceful-tests ",
        ),
        ("INFO", "phase phase=\"hooks\"", " hook=\"last\" order=9 outcome=\"ok\" took_ms=", " hook 9 last (graceful-"),
        ("INFO", "phase phase=\"stopped\"", " phase=\"stopped\"", " stopped"),
        ("INFO", "", "", "shutdown after SIGTERM: 1 problem"),
    ] {
        let start = format!("{level} graceful [{span}]");
        let is_it = |line: &&&str| line.starts_with(&start) && line.contains(fields) && line.contains(message);
        assert!(rest.find(is_it).is_some(), "`{start}` with `{fields}` and `{message}`\n{}", ended.all());
    }
    // What a hook says stands in its own span, on a thread of the runtime.
    for line in [
        "INFO app [shutdown_hook hook=\"flush\" order=1] flushing",
        "INFO app [shutdown_hook hook=\"archive\" order=3] archiving",
    ] {
        assert!(ended.said.lines().any(|said| said.ends_with(line)), "{line}\n{}", ended.all());
    }
    ended.never_says("graceful-control: ");
    // Nothing that was told to the subscriber is told to stderr again, not even what came before it was there.
    assert!(!ended.said.lines().any(|line| line.starts_with("graceful ")), "{}", ended.all());
}

#[test]
fn a_subscriber_that_hangs_or_panics_holds_up_nothing_but_the_log() {
    for does in ["hangs", "panics"] {
        let app = hooks_app().env("SUBSCRIBER", does).start();
        app.says("serving: ready");
        let sent = app.begin_shutdown(Signal::TERM);
        let ended = app.end();
        assert!(ended.at - sent < Duration::from_secs(10), "{does}: {:?}\n{}", ended.at - sent, ended.all());
        ended.with_code(0).prints_in_order(&["hook flush", "hook last"]).never_says("draining: ");
    }
}

#[test]
#[cfg(feature = "tonic")]
fn what_serves_the_probes_says_nothing_to_a_subscriber_from_the_control_thread() {
    use graceful_tests::{App, probe};
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

    let app = App::new(env!("CARGO_BIN_EXE_grpc_app")).env("SUBSCRIBER", "yes").start();
    let ports = [app.ready(), app.health()];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for port in ports {
        runtime.block_on(async {
            let channel = tonic::transport::Endpoint::new(format!("http://{port}")).unwrap().connect().await.unwrap();
            HealthClient::new(channel).check(HealthCheckRequest::default()).await.unwrap();
        });
        assert_eq!(probe(app.health(), "/readyz").unwrap().status, 200);
    }
    app.begin_drain();
    let ended = app.end();
    // h2 does speak, and is heard where the user's own server calls it.
    let of_h2 = |line: &str| line.starts_with("tokio-rt-worker: ") && line.contains(" h2::");
    assert!(ended.said.lines().any(of_h2), "{}", ended.all());
    ended.with_code(0).never_says("graceful-control: ");
}
