//! The events and spans of a user's subscriber.

use crate::hooks_app;
use graceful_tests::Signal;
use std::time::Duration;

#[test]
fn a_subscriber_receives_phases_and_hooks_with_spans_and_fields_and_stderr_does_not() {
    let app = hooks_app().env("SUBSCRIBER", "yes").env("FLUSH", "fail").start();
    app.logs("serving: ready");
    app.begin_drain();
    let ended = app.end();
    let events: Vec<_> = ended.stderr.lines().filter_map(|line| line.strip_prefix("graceful-log: ")).collect();
    let mut rest = events.iter();
    for (level, span, fields, message) in [
        ("INFO", "", "", "hook 1 flush (graceful-tests "), // the start, before the first phase
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
    // Events of a hook are in the hook's span, on a thread of the runtime.
    for line in [
        "INFO app [shutdown_hook hook=\"flush\" order=1] flushing",
        "INFO app [shutdown_hook hook=\"archive\" order=3] archiving",
    ] {
        assert!(ended.stderr.lines().any(|text| text.ends_with(line)), "{line}\n{}", ended.all());
    }
    ended.never_logs("graceful-control: ");
    // Entries for the subscriber are not repeated on stderr, including those before its installation.
    assert!(!ended.stderr.lines().any(|line| line.starts_with("graceful ")), "{}", ended.all());
}

#[test]
fn a_hanging_or_panicking_subscriber_affects_the_log_only() {
    for does in ["hangs", "panics"] {
        let app = hooks_app().env("SUBSCRIBER", does).start();
        app.logs("serving: ready");
        let sent = app.begin_shutdown(Signal::TERM);
        let ended = app.end();
        assert!(ended.at - sent < Duration::from_secs(10), "{does}: {:?}\n{}", ended.at - sent, ended.all());
        ended.with_code(0).prints_in_order(&["hook flush", "hook last"]).never_logs("draining: ");
    }
}

#[test]
#[cfg(feature = "tonic")]
fn the_health_server_emits_no_events_on_the_control_thread() {
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
    // h2 emits events where the user's server calls it.
    let of_h2 = |line: &str| line.starts_with("tokio-rt-worker: ") && line.contains(" h2::");
    assert!(ended.stderr.lines().any(of_h2), "{}", ended.all());
    ended.with_code(0).never_logs("graceful-control: ");
}
