//! What a user sees of a process with the optional features of `graceful`.
#![allow(clippy::unwrap_used)]

mod answers;
mod checks;
mod heartbeat;
#[cfg(target_os = "linux")]
mod init;
mod metrics;
mod signals;
mod supervise;
mod systemd;
mod tcp;

use graceful_tests::{App, PATIENCE, probe};
use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

fn life() -> App {
    App::new(env!("CARGO_BIN_EXE_life"))
}

/// Probes until the answer is this, in status and a part of the body.
#[track_caller]
fn wait_for(health: SocketAddr, path: &str, status: u16, body: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = probe(health, path).unwrap();
        if seen.status == status && seen.body.contains(body) {
            return;
        }
        assert!(Instant::now() < deadline, "no {status} `{body}` for {path}, but {seen:?}");
        thread::sleep(Duration::from_millis(5));
    }
}
