//! Tests of processes: exit codes, output, probes and sockets.
#![allow(clippy::unwrap_used)]

mod backlog;
mod blocked;
mod chunked;
mod configuration;
mod connections;
mod crowd;
#[cfg(feature = "tonic")]
mod frames;
#[cfg(feature = "tonic")]
mod goaway;
mod handshakes;
mod hooks;
#[cfg(feature = "tonic")]
mod http2;
mod linked;
mod main_ends;
mod output;
mod prestop;
mod readiness;
mod requests;
mod second_half;
mod servers;
mod signals;
#[cfg(feature = "tonic")]
mod slow_readers;
mod tasks;
mod threads;
mod tls;
mod tracing;
mod unix;
mod unread_bodies;

use graceful_tests::App;

fn serve() -> App {
    App::new(env!("CARGO_BIN_EXE_serve"))
}

/// A runtime with one thread: while it is blocked, only the control thread runs.
fn serve_on_one_thread() -> App {
    serve().env("FLAVOR", "current_thread")
}

fn hooks_app() -> App {
    App::new(env!("CARGO_BIN_EXE_hooks_app"))
}

fn main_that(does: &str) -> App {
    App::new(env!("CARGO_BIN_EXE_main_end")).env("MAIN", does)
}
