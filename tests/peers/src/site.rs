//! Three copies behind a balancer, restarted one by one under load.

use crate::{
    balancer::{Balancer, Configuration, own_address},
    load::{Counts, Load},
};
use graceful_tests::{App, Running, Signal};
use std::{
    ffi::OsStr,
    io,
    net::{Ipv4Addr, SocketAddr},
    thread,
    time::Duration,
};

/// The number of copies, which each configuration names.
const COPIES: usize = 3;
/// Their names in the configuration of HAProxy.
const NAMES: [&str; COPIES] = ["a", "b", "c"];

/// A copy of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copy {
    /// Served by `graceful`, with a grace of 2 s.
    Graceful,
    /// Served by axum, with `with_graceful_shutdown`.
    Plain,
}

impl Copy {
    /// The name of its executable.
    pub fn executable(self) -> &'static str {
        match self {
            Self::Graceful => "replica",
            Self::Plain => "plain",
        }
    }
}

/// What a run has seen.
pub struct Outcome {
    /// The requests.
    pub counts: Counts,
    /// The output of the balancer.
    pub output: String,
}

/// Restarts each copy `rounds` times, one by one with a pause after each, while clients send requests. `executable` is
/// the copy.
///
/// # Errors
/// The balancer cannot be started.
///
/// # Panics
/// A copy does not become ready, or does not end with exit code 0.
pub fn rolling_restarts(
    configuration: Configuration,
    copy: Copy,
    executable: &OsStr,
    rounds: usize,
    pause: Duration,
) -> io::Result<Outcome> {
    let start = |host, number| start(copy, executable, host, number);
    let host = own_address();
    let mut copies: Vec<_> = (0..COPIES).map(|number| start(host, number)).collect();
    let balancer = Balancer::start(configuration, host)?;
    let clients = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let load = clients.block_on(async { Load::start(balancer.address) });
    thread::sleep(Duration::from_secs(1)); // the load, without a restart
    for round in 1..=rounds {
        for (number, name) in NAMES.iter().enumerate() {
            let running: Running = copies.remove(number);
            running.signal(Signal::TERM);
            running.end().with_code(0);
            copies.insert(number, start(host, number));
            if configuration == Configuration::HaProxy {
                balancer.reports(&format!("Server orders/{name} is UP"), round);
            }
            thread::sleep(pause); // between two steps of a deployment
        }
    }
    thread::sleep(Duration::from_secs(1));
    let counts = clients.block_on(load.finish());
    Ok(Outcome { counts, output: balancer.output() })
}

/// Starts a copy on its ports, and waits until it is ready.
fn start(copy: Copy, executable: &OsStr, host: Ipv4Addr, number: usize) -> Running {
    let (traffic, health) = (3001 + number as u16, 8081 + number as u16);
    let app = App::new(executable)
        .env("LISTEN", SocketAddr::from((host, traffic)).to_string())
        .env("GRACEFUL_HEALTH", SocketAddr::from((host, health)).to_string());
    let running = app.start();
    match copy {
        Copy::Graceful => running.ready(),
        Copy::Plain => running.address(),
    };
    running
}
