//! The options of `cargo graceful rehearse`.

use super::{
    cluster::options::ClusterOptions,
    template::{Template, Variable},
    traffic::Traffic,
};
use crate::{
    exit_code::{ExitCode, Failure},
    process::{Signal, Target},
};
use graceful_plan::duration::parse as duration;
use std::{ffi::OsString, path::PathBuf, time::Duration};

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
    #[command(flatten)]
    pub(crate) traffic: Traffic,
    /// The readiness URL; the load starts once it is 2xx, and its change to 503 is timed [default: --url]
    #[arg(long, value_name = "URL")]
    pub(crate) ready: Option<Template>,
    /// Replace every copy of the program, one after the other. A new copy is ready before an old one gets the signal
    #[arg(long)]
    pub(crate) rolling: bool,
    /// Copies of the program, behind a balancer that chooses one for each new connection
    #[arg(long, value_name = "NUMBER", default_value = "1", requires = "rolling", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) replicas: u32,
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
    #[command(flatten)]
    pub(crate) cluster: ClusterOptions,
}

impl Options {
    /// Checks what depends on several options.
    ///
    /// # Errors
    /// The first contradiction.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let wrong = |text: &str| Err(Failure::new(ExitCode::Usage, text));
        if self.duration < Duration::from_millis(200) {
            return wrong("--duration is shorter than 200ms");
        }
        if self.rolling && !self.traffic.url.has_port() {
            return wrong("--rolling needs a port for each copy: write {port} in --url, and in COMMAND or --env");
        }
        if self.traffic.rate == 0 && self.ready.is_none() && self.cluster.kubernetes.is_none() {
            return wrong("--rate 0 needs --ready");
        }
        if self.cluster.load_pods.is_some() && self.traffic.trust.cacert.is_some() {
            return wrong("--cacert is a file of this machine: load pods trust the certificates of their image");
        }
        if self.start_timeout.is_zero() {
            return wrong("--start-timeout must not be zero");
        }
        if self.propagation > self.termination_grace_period {
            return wrong("--propagation is longer than --termination-grace-period");
        }
        let longest = match self.cluster.kubernetes {
            Some(_) => self.cluster.longest(),
            None => self.termination_grace_period * self.replicas,
        };
        self.traffic.check(self.duration / 2 + longest)?;
        for file in [&self.html, &self.svg].into_iter().flatten() {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            if folder.is_some_and(|folder| !folder.is_dir()) || file.is_dir() {
                return wrong(&format!("cannot write {}: name a file in an existing folder", file.display()));
            }
        }
        Ok(())
    }
}
