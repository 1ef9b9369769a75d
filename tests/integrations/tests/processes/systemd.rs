//! Notifications to systemd, received by a socket of the test. The tests of the example cover the rest.

use crate::lifecycle;
use graceful_tests::{PATIENCE, Signal};
use std::{
    io::ErrorKind,
    os::unix::net::UnixDatagram,
    path::PathBuf,
    time::{Duration, Instant},
};

const WATCHDOG: Duration = Duration::from_millis(600);

struct Systemd {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Systemd {
    fn start(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("graceful-{}-{test}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Self { socket: UnixDatagram::bind(&path).unwrap(), path }
    }

    /// The next notification within this time.
    fn next(&self, within: Duration) -> Option<String> {
        let mut buffer = [0; 1024];
        self.socket.set_read_timeout(Some(within)).unwrap();
        match self.socket.recv(&mut buffer) {
            Ok(length) => Some(String::from_utf8_lossy(&buffer[..length]).into_owned()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Whether a notification that contains `part` arrives within `time`.
    fn receives_within(&self, part: &str, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.next(left.max(Duration::from_millis(1))) {
                Some(message) if message.contains(part) => return true,
                None if left.is_zero() => return false,
                _ => {}
            }
        }
    }

    #[track_caller]
    fn expect(&self, part: &str) {
        assert!(self.receives_within(part, PATIENCE), "no `{part}`");
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[test]
fn watchdog_keep_alives_are_sent_while_the_runtime_runs_tasks_and_during_a_shutdown() {
    let systemd = Systemd::start("watchdog");
    let usec = WATCHDOG.as_micros().to_string();
    let app = lifecycle().env("NOTIFY_SOCKET", &systemd.path).env("WATCHDOG_USEC", usec).env("GRACEFUL_GRACE", "1s");
    let mut app = app.start();
    app.logs("serving: ready");
    systemd.expect("READY=1");
    for _ in 0..3 {
        systemd.expect("WATCHDOG=1");
    }
    app.send_line("block");
    app.prints("every worker is blocked");
    while systemd.receives_within("WATCHDOG=1", WATCHDOG / 2) {} // discards those that were already sent
    assert!(!systemd.receives_within("WATCHDOG=1", 3 * WATCHDOG), "it was fed though nothing ran");
    app.send_line("release");
    systemd.expect("WATCHDOG=1");

    // During a shutdown the watchdog is fed although the runtime hangs, because graceful's deadlines apply.
    app.send_line("block");
    app.signal(Signal::TERM);
    systemd.expect("STOPPING=1");
    systemd.expect("WATCHDOG=1");
    app.end();
}

#[test]
fn a_process_stopped_before_ready_never_sends_ready() {
    let systemd = Systemd::start("early");
    let mut app = lifecycle().env("MAIN", "connect").env("NOTIFY_SOCKET", &systemd.path).start();
    app.prints("connecting");
    app.signal(Signal::TERM);
    assert_eq!(systemd.next(PATIENCE).as_deref(), Some("STOPPING=1\n"), "nothing comes before");
    app.send_line("release");
    app.end().with_code(0);
    while let Some(message) = systemd.next(Duration::from_millis(1)) {
        assert!(!message.contains("READY=1"), "{message}");
    }
}

#[test]
fn an_immediate_shutdown_sends_stopping() {
    let systemd = Systemd::start("brief");
    for _ in 0..20 {
        lifecycle().env("MAIN", "return 7").env("NOTIFY_SOCKET", &systemd.path).run().with_code(7);
        // The process has exited, so all its notifications have arrived.
        let messages: Vec<_> = std::iter::from_fn(|| systemd.next(Duration::from_millis(1))).collect();
        assert!(messages.iter().any(|message| message.contains("STOPPING=1")), "{messages:?}");
    }
}

#[test]
fn an_unread_notify_socket_does_not_delay_the_process() {
    let systemd = Systemd::start("full");
    let full = UnixDatagram::unbound().unwrap();
    full.set_nonblocking(true).unwrap();
    while full.send_to(b"full", &systemd.path).is_ok() {}
    let app = lifecycle().env("NOTIFY_SOCKET", &systemd.path).env("WATCHDOG_USEC", "30000").start();
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}
