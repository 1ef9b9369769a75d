//! Notifications to systemd, received by a socket of the test.

use crate::{example, traffic_address};
use graceful_tests::{App, Client, PATIENCE, Signal};
use std::{
    os::unix::net::UnixDatagram,
    path::PathBuf,
    time::{Duration, Instant},
};

/// The notifications of the service, in order.
struct Systemd {
    socket: UnixDatagram,
    path: PathBuf,
    received: Vec<String>,
}

impl Systemd {
    fn start(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("graceful-{}-{test}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).unwrap();
        Self { socket, path, received: Vec::new() }
    }

    fn service(&self, example: App) -> App {
        example.env("NOTIFY_SOCKET", &self.path).env("GRACEFUL_HEALTH", "127.0.0.1:0")
    }

    /// The next notification within this time.
    fn next(&mut self, within: Duration) -> Option<&str> {
        let mut buffer = [0; 1024];
        self.socket.set_read_timeout(Some(within)).unwrap();
        let length = self.socket.recv(&mut buffer).ok()?;
        self.received.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        self.received.last().map(String::as_str)
    }

    /// Waits for a notification that contains `part`.
    #[track_caller]
    fn expect(&mut self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.next(Duration::from_secs(1)) {
                Some(message) if message.contains(part) => return message.to_owned(),
                _ => {}
            }
        }
        panic!("no `{part}` in {:?}", self.received);
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[test]
fn the_service_sends_ready_stopping_and_timeout_extensions() {
    let mut systemd = Systemd::start("shutdown");
    let app = systemd.service(example!("systemd")).env("GRACEFUL_GRACE", "0s").start();
    let mut slow = Client::new(traffic_address(&app));
    assert_eq!(systemd.expect("READY=1").trim_end(), "READY=1\nSTATUS=serving");
    slow.send("/slow");
    app.signal(Signal::TERM);
    systemd.expect("STOPPING=1");
    systemd.expect("STATUS=shutting down: draining, ");
    systemd.expect("EXTEND_TIMEOUT_USEC=10000000");
    assert_eq!(slow.response().status, 200);
    app.end().with_code(0);
    assert!(!systemd.received.iter().any(|message| message.contains("WATCHDOG=1")), "the watchdog is off");
}

#[test]
fn the_service_extends_the_timeout_repeatedly() {
    let mut systemd = Systemd::start("extend");
    let app = systemd.service(example!("systemd")).env("GRACEFUL_GRACE", "5500ms").start();
    traffic_address(&app);
    app.signal(Signal::TERM);
    for _ in 0..3 {
        systemd.expect("EXTEND_TIMEOUT_USEC=10000000");
    }
    assert!(
        systemd.next(Duration::from_millis(1)).is_none(),
        "extensions are spread over time: {:?}",
        systemd.received
    );
    app.end().with_code(0);
}
