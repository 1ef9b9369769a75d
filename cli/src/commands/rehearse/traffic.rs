//! The options of the load, and its start.

use super::{
    progress::Progress,
    template::{Ports, Template},
};
use crate::{
    exit_code::{ExitCode, Failure},
    load::{Call, Endpoint, Load, Mode, Rotation, Schedule, Shared, Trust},
    report::{Long, span},
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
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Traffic {
    /// Where requests go, http:// or https://; the response must be 2xx
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000/")]
    pub(crate) url: Template,
    /// A URL with long responses. Four clients keep requests to it in flight. Like the next three URLs, it has the host
    /// and the port of --url
    #[arg(long, value_name = "URL")]
    slow: Option<Template>,
    /// A URL that takes POST requests. Four clients send it bodies of 12 KB over 3 s, or over a third of --timeout
    #[arg(long, value_name = "URL")]
    upload: Option<Template>,
    /// A ws:// or wss:// URL. Four clients keep WebSockets open, which must end with a Close frame
    #[arg(long, value_name = "URL", value_parser = Template::websocket)]
    websocket: Option<Template>,
    /// A URL with endless or long responses, for example server-sent events. Four clients read them; each must end
    /// completely
    #[arg(long, value_name = "URL")]
    stream: Option<Template>,
    #[command(flatten)]
    pub(crate) trust: Trust,
    /// Requests per second to --url; 0 if a program has nothing but WebSockets or streams
    #[arg(long, value_name = "NUMBER", default_value = "500", value_parser = clap::value_parser!(u32).range(0..=200_000))]
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
    /// Clients that use HTTP/2
    #[arg(long)]
    http2: bool,
    /// Clients that send gRPC calls to the host of --url, which must end with the status OK: health checks of the server
    /// or of package.Service, or calls of package.Service/Method with an empty message
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    grpc: Option<Call>,
    /// The limit of one request
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

impl Traffic {
    /// The kinds of clients.
    pub(crate) fn modes(&self) -> Vec<Mode> {
        if !(self.keep_alive || self.new_connections || self.http2 || self.grpc.is_some()) {
            return vec![Mode::KeepAlive, Mode::NewConnections];
        }
        let chosen = [
            (self.keep_alive, Mode::KeepAlive),
            (self.new_connections, Mode::NewConnections),
            (self.http2, Mode::Http2),
            (self.grpc.is_some(), Mode::Grpc),
        ];
        chosen.into_iter().filter_map(|(is_chosen, mode)| is_chosen.then_some(mode)).collect()
    }

    /// The kinds of clients that have requests.
    pub(crate) fn used_modes(&self) -> Vec<Mode> {
        if self.rate == 0 { Vec::new() } else { self.modes() }
    }

    /// The names of the kinds of clients.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.modes().iter().map(|mode| mode.name()).collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => names.concat(),
        }
    }

    /// The load of one generator, for a line of the progress.
    pub(crate) fn line(&self) -> String {
        match self.rate {
            0 => "long clients alone".to_owned(),
            rate => format!("{rate} requests/s over {} connections, {}", self.connections, self.names()),
        }
    }

    /// The URLs of long clients with the names of their options.
    pub(crate) fn long(&self) -> impl Iterator<Item = (Long, &'static str, &Template)> {
        let all = [
            (Long::Slow, "--slow", &self.slow),
            (Long::Upload, "--upload", &self.upload),
            (Long::WebSocket, "--websocket", &self.websocket),
            (Long::Stream, "--stream", &self.stream),
        ];
        all.into_iter().filter_map(|(kind, option, url)| Some((kind, option, url.as_ref()?)))
    }

    /// A URL of a copy with these ports, or of a running service.
    ///
    /// # Errors
    /// The trusted certificates cannot be read, or the URL of a service has a placeholder.
    pub(crate) fn endpoint(&self, url: &Template, ports: Option<&Ports>) -> Result<Endpoint, Failure> {
        let url = ports.map_or_else(|| url.plain(), |ports| Ok(url.url(ports)))?;
        let failed = |error| Failure::new(ExitCode::Usage, error);
        Endpoint::new(&url, &self.trust, self.grpc.as_ref()).map_err(failed)
    }

    /// The URLs of long clients, as [`Traffic::endpoint`].
    pub(crate) fn long_endpoints(&self, ports: Option<&Ports>) -> Result<Vec<(Long, Endpoint)>, Failure> {
        self.long().map(|(kind, _, url)| Ok((kind, self.endpoint(url, ports)?))).collect()
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
        arguments.extend(self.long().flat_map(|(_, option, url)| [option.to_owned(), url.text().to_owned()]));
        arguments.extend(self.trust.insecure.then(|| "--insecure".to_owned()));
        arguments.extend(self.modes().iter().map(|mode| match (mode, &self.grpc) {
            (Mode::Grpc, Some(call)) => format!("--grpc={}", call.name),
            _ => format!("--{}", mode.name()),
        }));
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
        for (_, option, url) in self.long() {
            if !url.is_at(&self.url) {
                return wrong(&format!("{option} must have the host and the port of --url"));
            }
        }
        if self.rate == 0 && self.long().next().is_none() {
            return wrong("--rate 0 needs one of --slow, --upload, --websocket and --stream");
        }
        if self.timeout.is_zero() {
            return wrong("--timeout must not be zero");
        }
        if longest.as_secs_f64() * f64::from(self.rate) > MOST_REQUESTS {
            let text = "--rate times the longest load is over 10 million requests";
            return wrong(&format!("{text}: it lasts up to {}; lower --rate, or shorten the load", span(longest)));
        }
        Ok(())
    }

    /// Starts the load.
    ///
    /// # Errors
    /// The machine lacks a resource.
    pub(crate) fn start(&self, target: Target) -> Result<Load, Failure> {
        let Target { endpoint, long, rotation, rolling } = target;
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
        Load::start(shared, self.connections, long)
            .map_err(|error| Failure::new(ExitCode::Io, format!("cannot start the load: {error}")))
    }
}

/// Where the load goes.
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) long: Vec<(Long, Endpoint)>,
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
        let long = ["--upload", url, "--stream", url, "--websocket", "wss://web/", "--rate", "0", "--insecure"];
        let grpc = ["--grpc", "a.B", "--keep-alive"];
        for options in [&all[..], &long, &grpc, &["--grpc"], &["--keep-alive", "--http2"], &["--new-connections"], &[]]
        {
            let parsed = Command::parse_from([&["load"], options].concat()).traffic;
            let again = Command::parse_from(["load".to_owned()].into_iter().chain(parsed.arguments())).traffic;
            assert_eq!((again.modes(), again.arguments()), (parsed.modes(), parsed.arguments()));
            assert!(again.long().eq(parsed.long()));
            assert_eq!((again.grpc, again.trust.insecure), (parsed.grpc, parsed.trust.insecure));
            assert_eq!((again.url, again.slow, again.rate), (parsed.url, parsed.slow, parsed.rate));
            assert_eq!((again.connections, again.timeout), (parsed.connections, parsed.timeout));
        }
    }
}
