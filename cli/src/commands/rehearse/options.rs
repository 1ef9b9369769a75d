//! The options of `cargo graceful rehearse`.

use super::template::{Template, Variable};
use crate::{
    exit_code::{ExitCode, Failure},
    load::Mode,
    process::{Signal, Target},
};
use graceful_plan::duration::parse as duration;
use std::{ffi::OsString, path::PathBuf, time::Duration};

/// The most requests of one rehearsal. Each is recorded in 32 bytes.
const MOST_REQUESTS: f64 = 10_000_000.0;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Any program with its arguments, instead of a target of the package
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["bin", "example", "exe", "package", "features", "release"])]
    pub(crate) command: Vec<OsString>,
    /// A variable of the program. {port}, {port2} and {port3} in values, in COMMAND and in URLs become free ports
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<Variable>,
    /// Where requests go; the response must be 2xx
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000/")]
    pub(crate) url: Template,
    /// The readiness URL; the load starts once it is 2xx, and its change to 503 is timed [default: --url]
    #[arg(long, value_name = "URL")]
    pub(crate) ready: Option<Template>,
    /// A URL of the same host and port with long responses; four clients keep requests to it in flight
    #[arg(long, value_name = "URL")]
    pub(crate) slow: Option<Template>,
    /// Replace every copy of the program, one after the other. A new copy is ready before an old one gets the signal
    #[arg(long)]
    pub(crate) rolling: bool,
    /// Copies of the program, behind a balancer that chooses one for each new connection
    #[arg(long, value_name = "NUMBER", default_value = "1", requires = "rolling", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) replicas: u32,
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
    /// The length of the load; the signal is sent in the middle. The load ends early once the program has exited and
    /// --propagation is over, and late if the program runs longer
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(crate) duration: Duration,
    /// The signal that starts the shutdown
    #[arg(long, value_enum, default_value = "SIGTERM")]
    pub(crate) signal: Signal,
    /// How long load balancers send new connections after the signal
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    pub(crate) propagation: Duration,
    /// The limit of one request
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// The limit until the program is ready
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(crate) start_timeout: Duration,
    /// From the signal to SIGKILL
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(crate) termination_grace_period: Duration,
    /// Print the report as JSON instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the report as a self-contained page
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write the report as a picture
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

impl Options {
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

    /// Checks what depends on several options.
    ///
    /// # Errors
    /// The first contradiction.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let wrong = |text: &str| Err(Failure::new(ExitCode::Usage, text));
        let longest = (self.duration / 2 + self.termination_grace_period * self.replicas).as_secs_f64();
        if self.duration < Duration::from_millis(200) {
            return wrong("--duration is shorter than 200ms");
        }
        if (self.connections as usize) < self.modes().len() {
            return wrong("--connections is lower than the number of kinds of clients");
        }
        if self.rolling && !self.url.has_port() {
            return wrong("--rolling needs a port for each copy: write {port} in --url, and in COMMAND or --env");
        }
        if let Some(slow) = &self.slow
            && !slow.is_at(&self.url)
        {
            return wrong("--slow must have the host and the port of --url");
        }
        if self.timeout.is_zero() || self.start_timeout.is_zero() {
            return wrong("--timeout and --start-timeout must not be zero");
        }
        if self.propagation > self.termination_grace_period {
            return wrong("--propagation is longer than --termination-grace-period");
        }
        if longest * f64::from(self.rate) > MOST_REQUESTS {
            return wrong("--rate times the longest load is over 10 million requests; lower --rate or --duration");
        }
        for file in [&self.html, &self.svg].into_iter().flatten() {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            if folder.is_some_and(|folder| !folder.is_dir()) || file.is_dir() {
                return wrong(&format!("cannot write {}: name a file in an existing folder", file.display()));
            }
        }
        Ok(())
    }
}
