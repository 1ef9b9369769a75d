//! systemd's notifications, heard by a socket of the test's. The rest is told by the example.

use crate::life;
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

    /// The next message, if it comes within this time.
    fn next(&self, within: Duration) -> Option<String> {
        let mut buffer = [0; 1024];
        self.socket.set_read_timeout(Some(within)).unwrap();
        match self.socket.recv(&mut buffer) {
            Ok(length) => Some(String::from_utf8_lossy(&buffer[..length]).into_owned()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Whether a message with this comes within this time.
    fn hears_within(&self, part: &str, time: Duration) -> bool {
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
    fn hears(&self, part: &str) {
        assert!(self.hears_within(part, PATIENCE), "no `{part}`");
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[test]
fn the_watchdog_is_fed_while_the_runtime_of_main_runs_tasks_and_in_a_shutdown() {
    let systemd = Systemd::start("watchdog");
    let usec = WATCHDOG.as_micros().to_string();
    let app = life().env("NOTIFY_SOCKET", &systemd.path).env("WATCHDOG_USEC", usec).env("GRACEFUL_GRACE", "1s");
    let mut app = app.start();
    app.says("serving: ready");
    systemd.hears("READY=1");
    for _ in 0..3 {
        systemd.hears("WATCHDOG=1");
    }
    app.tell("block");
    app.prints("every worker is blocked");
    let _ = systemd.hears_within("WATCHDOG=1", WATCHDOG / 2); // one may have been under way
    assert!(!systemd.hears_within("WATCHDOG=1", 3 * WATCHDOG), "it was fed though nothing ran");
    app.tell("release");
    systemd.hears("WATCHDOG=1");

    // In a shutdown the deadlines are the crate's own, whatever hangs.
    app.tell("block");
    app.signal(Signal::TERM);
    systemd.hears("STOPPING=1");
    systemd.hears("WATCHDOG=1");
    app.end();
}

#[test]
fn a_process_that_is_told_to_stop_before_it_is_ready_never_says_ready() {
    let systemd = Systemd::start("early");
    let mut app = life().env("LIFE", "connect").env("NOTIFY_SOCKET", &systemd.path).start();
    app.prints("connecting");
    app.signal(Signal::TERM);
    assert_eq!(systemd.next(PATIENCE).as_deref(), Some("STOPPING=1\n"), "nothing comes before");
    app.tell("release");
    app.end().with_code(0);
    while let Some(said) = systemd.next(Duration::from_millis(1)) {
        assert!(!said.contains("READY=1"), "{said}");
    }
}

#[test]
fn a_shutdown_that_is_over_at_once_says_stopping_too() {
    let systemd = Systemd::start("brief");
    for _ in 0..20 {
        life().env("LIFE", "return 7").env("NOTIFY_SOCKET", &systemd.path).run().with_code(7);
        // The process has ended: what it has said is here.
        let said: Vec<_> = std::iter::from_fn(|| systemd.next(Duration::from_millis(1))).collect();
        assert!(said.iter().any(|said| said.contains("STOPPING=1")), "{said:?}");
    }
}

#[test]
fn a_socket_that_nobody_reads_holds_up_nothing() {
    let systemd = Systemd::start("full");
    let full = UnixDatagram::unbound().unwrap();
    full.set_nonblocking(true).unwrap();
    while full.send_to(b"full", &systemd.path).is_ok() {}
    let app = life().env("NOTIFY_SOCKET", &systemd.path).env("WATCHDOG_USEC", "30000").start();
    app.says("serving: ready");
    app.signal(Signal::TERM);
    app.end().with_code(0);
}
