//! Tests of processes with the optional features of `graceful`.
#![allow(clippy::unwrap_used)]

mod custom_probes;
mod checks;
mod heartbeat;
#[cfg(target_os = "linux")]
mod init;
mod metrics;
mod signals;
mod supervise;
mod systemd;
mod tcp;

use graceful_tests::App;

fn lifecycle() -> App {
    App::new(env!("CARGO_BIN_EXE_lifecycle"))
}
