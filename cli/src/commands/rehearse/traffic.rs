//! The options of the load, and its start.

use super::{progress::Progress, template::Template};
use crate::{
    exit_code::{ExitCode, Failure},
    load::{Endpoint, Load, Mode, Rotation, Schedule, Shared},
};
use graceful_plan::duration::parse as duration;
use std::{
    convert::Infallible,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::interval;

/// The most requests of one load. Each is recorded in 32 bytes.
const MOST_REQUESTS: f64 = 10_000_000.0;

/// What the load sends.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct Traffic {
    /// Where requests go; the response must be 2xx
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000/")]
    pub(crate) url: Template,
    /// A URL of the same host and port with long responses; four clients keep requests to it in flight
    #[arg(long, value_name = "URL")]
    pub(crate) slow: Option<Template>,
    /// Requests per second
    #[arg(long, value_name = "NUMBER", default_value = "500", value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub(crate) rate: u32,
    /// Connections, and the most requests in flight
    #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) connections: u32,
    /// Clients that use each connection until the server closes it. Several kinds of clients share the load evenly
    /// [default: --keep-alive --new-connections]
    #[arg(long)]
    keep_alive: bool,
    /// Clients that open a connection for each request
    #[arg(long)]
    new_connections: bool,
    /// Clients that use HTTP/2 without TLS
    #[arg(long)]
    http2: bool,
    /// The limit of one request
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

impl Traffic {
    /// The kinds of clients.
    pub(crate) fn modes(&self) -> Vec<Mode> {
        if !(self.keep_alive || self.new_connections || self.http2) {
            return vec![Mode::KeepAlive, Mode::NewConnections];
        }
        let chosen = [
            (self.keep_alive, Mode::KeepAlive),
            (self.new_connections, Mode::NewConnections),
            (self.http2, Mode::Http2),
        ];
        chosen.into_iter().filter_map(|(is_chosen, mode)| is_chosen.then_some(mode)).collect()
    }

    /// The names of the kinds of clients.
    pub(crate) fn names(&self) -> String {
        self.modes().iter().map(|mode| mode.name()).collect::<Vec<_>>().join(" and ")
    }

    /// The options of this load as arguments, for `cargo-graceful load`.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = [
            ("--url", self.url.text().to_owned()),
            ("--rate", self.rate.to_string()),
            ("--connections", self.connections.to_string()),
            ("--timeout", format!("{}ms", self.timeout.as_millis())),
        ]
        .into_iter()
        .flat_map(|(option, value)| [option.to_owned(), value])
        .collect();
        arguments.extend(self.slow.iter().flat_map(|slow| ["--slow".to_owned(), slow.text().to_owned()]));
        let modes = self.modes();
        arguments.extend(modes.iter().map(|mode| format!("--{}", mode.name())));
        arguments
    }

    /// Checks what depends on several options, for a load that lasts at most this long.
    ///
    /// # Errors
    /// The first contradiction.
    pub(crate) fn check(&self, longest: Duration) -> Result<(), Failure> {
        let wrong = |text: &str| Err(Failure::new(ExitCode::Usage, text));
        if (self.connections as usize) < self.modes().len() {
            return wrong("--connections is lower than the number of kinds of clients");
        }
        if let Some(slow) = &self.slow
            && !slow.is_at(&self.url)
        {
            return wrong("--slow must have the host and the port of --url");
        }
        if self.timeout.is_zero() {
            return wrong("--timeout must not be zero");
        }
        if longest.as_secs_f64() * f64::from(self.rate) > MOST_REQUESTS {
            let text = "--rate times the longest load is over 10 million requests";
            return wrong(&format!("{text}: it lasts up to {longest:?}; lower --rate, or shorten the load"));
        }
        Ok(())
    }

    /// Starts the load.
    ///
    /// # Errors
    /// The machine lacks a resource.
    pub(crate) fn start(&self, target: Target) -> Result<Load, Failure> {
        let Target { endpoint, slow, rotation, rolling } = target;
        let shared = Shared {
            schedule: Schedule::new(self.rate),
            endpoint,
            rotation,
            rolling,
            modes: self.modes(),
            limit: self.timeout,
            ended: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        };
        Load::start(shared, self.connections, slow)
            .map_err(|error| Failure::new(ExitCode::Io, format!("cannot start the load: {error}")))
    }
}

/// Where the load goes.
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) slow: Option<Endpoint>,
    pub(crate) rotation: Rotation,
    /// The rotation must not be empty.
    pub(crate) rolling: bool,
}

/// Updates the live line. Never ends.
pub(crate) async fn live(progress: &Progress, shared: &Shared) -> Infallible {
    let mut ticks = interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        progress.live(|| {
            let (ended, failed) = (shared.ended.load(Ordering::Relaxed), shared.failed.load(Ordering::Relaxed));
            format!("{:.1}s: {ended} requests, {failed} failed", shared.schedule.now() as f64 / 1e6)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        traffic: Traffic,
    }

    #[test]
    fn a_load_pod_gets_every_option_of_the_load() {
        let url = "http://web/a?b=c";
        let all =
            ["--url", url, "--slow", "http://web/slow", "--rate", "7", "--connections", "9", "--timeout", "1500ms"];
        for options in [&all[..], &["--keep-alive", "--http2"], &["--new-connections"], &[]] {
            let parsed = Command::parse_from([&["load"], options].concat()).traffic;
            let again = Command::parse_from(["load".to_owned()].into_iter().chain(parsed.arguments())).traffic;
            assert_eq!((again.modes(), again.arguments()), (parsed.modes(), parsed.arguments()));
            assert_eq!((again.url, again.slow, again.rate), (parsed.url, parsed.slow, parsed.rate));
            assert_eq!((again.connections, again.timeout), (parsed.connections, parsed.timeout));
        }
    }
}
