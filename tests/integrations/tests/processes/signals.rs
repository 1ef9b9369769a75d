//! Signals of the user's choice.

use crate::life;
use graceful_tests::Signal;

#[test]
fn each_signal_that_is_asked_for_begins_the_shutdown_and_is_named() {
    for (signal, name) in [(Signal::HUP, "SIGHUP"), (Signal::USR1, "SIGUSR1")] {
        let app = life().env("SIGNALS", "hangup and user 1").start();
        app.says("serving: ready");
        app.signal(signal);
        app.end().with_code(0).says_in_order(&[&format!("grace: after {name}"), "draining: ", "everything finished"]);
    }
}

#[test]
fn a_signal_that_is_not_asked_for_does_what_it_does_to_any_process() {
    let app = life().env("SIGNALS", "hangup and user 1").start();
    app.says("serving: ready");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.never_says("after SIGTERM").never_says("stopped");
    assert!(ended.all().contains("signal: 15"), "{}", ended.all());
}
