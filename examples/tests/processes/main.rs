//! Tests of the examples with real processes, signals and clients.
#![allow(clippy::unwrap_used)]

mod checks;
mod custom_probes;
mod grpc;
mod http;
mod multi;
mod no_server;
mod quiet;
mod sse;
mod supervised;
mod systemd;
mod tls;
mod websocket;

use graceful_tests::{App, Running};
use std::net::SocketAddr;

/// The example with this name, on free ports.
macro_rules! example {
    ($name:literal) => {
        crate::on_free_ports(graceful_tests::App::new(env!(concat!("CARGO_BIN_EXE_", $name))))
    };
}
use example;

fn on_free_ports(mut app: App) -> App {
    for variable in ["LISTEN", "LISTEN_GRPC", "LISTEN_TCP", "LISTEN_METRICS"] {
        app = app.env(variable, "127.0.0.1:0");
    }
    app.env("GRACEFUL_GRACE", "1800ms") // shorter than their slow requests
}

/// Waits until the app is ready and returns the address in the output line that contains `part`.
fn address(app: &Running, part: &str) -> SocketAddr {
    app.logs("serving: ready");
    let line = app.prints(part);
    let address = line.split("://").nth(1).and_then(|rest| rest.split(' ').next());
    address.and_then(|address| address.parse().ok()).expect("the line contains an address")
}

/// The address of the app's traffic port.
fn traffic_address(app: &Running) -> SocketAddr {
    address(app, "serving on http")
}
