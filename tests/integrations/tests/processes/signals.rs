//! Configured signals.

use crate::lifecycle;
use graceful_tests::Signal;

#[test]
fn each_configured_signal_starts_the_shutdown_and_is_reported() {
    for (signal, name) in [(Signal::HUP, "SIGHUP"), (Signal::USR1, "SIGUSR1")] {
        let app = lifecycle().env("SIGNALS", "hangup and user 1").start();
        app.logs("serving: ready");
        app.signal(signal);
        app.end().with_code(0).logs_in_order(&[&format!("grace: after {name}"), "draining: ", "everything finished"]);
    }
}

#[test]
fn other_signals_keep_their_default_action() {
    let app = lifecycle().env("SIGNALS", "hangup and user 1").start();
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.never_logs("after SIGTERM").never_logs("stopped");
    assert!(ended.all().contains("signal: 15"), "{}", ended.all());
}
