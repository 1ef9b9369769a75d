//! `/prestop`: a preStop hook that starts the shutdown.

use crate::serve;
use graceful_tests::{Client, Signal, probe};
use std::time::{Duration, Instant};

#[test]
fn prestop_starts_the_shutdown_and_responds_when_grace_ends() {
    let app = serve().env("GRACEFUL_PRESTOP_TOKEN", "s3cret").env("GRACEFUL_GRACE", "7s").start();
    app.ready();
    let mut hook = Client::new(app.health());
    let begun = Instant::now();
    hook.write("GET /prestop HTTP/1.1\r\nhost: test\r\nx-graceful-token: s3cret\r\n\r\n");
    app.logs("grace: after a request to shut down: /prestop was called");
    assert_eq!(probe(app.health(), "/readyz").unwrap().status, 503);
    app.signal(Signal::TERM); // as Kubernetes does after the hook; the shutdown doesn't restart
    // Longer than the limit of other connections to the health server.
    let response = hook.response();
    assert_eq!((response.status, response.body.as_str()), (200, "grace is over\n"));
    assert!(begun.elapsed() >= Duration::from_secs(7), "{:?}", begun.elapsed());
    let ended = app.end();
    ended.with_code(0).logs_in_order(&["grace: ", "SIGTERM during the shutdown", "draining: ", "stopped"]);
}

#[test]
fn prestop_is_off_without_a_token_and_rejects_a_wrong_one() {
    let app = serve().start();
    app.ready();
    assert_eq!(probe(app.health(), "/prestop").unwrap().status, 404);
    let guarded = serve().env("GRACEFUL_PRESTOP_TOKEN", "s3cret").start();
    guarded.ready();
    let mut guess = Client::new(guarded.health());
    guess.write("GET /prestop HTTP/1.1\r\nhost: test\r\nx-graceful-token: secret\r\n\r\n");
    assert_eq!(guess.response().status, 403);
    assert_eq!(probe(guarded.health(), "/readyz").unwrap().status, 200, "nothing has begun");
    for app in [app, guarded] {
        app.signal(Signal::INT);
        app.signal(Signal::INT);
        app.end();
    }
}
