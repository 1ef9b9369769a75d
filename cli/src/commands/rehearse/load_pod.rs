//! `cargo graceful load`: the program of a load pod.

use super::{interrupt::Interrupt, readiness, traffic};
use crate::{
    console,
    exit_code::{ExitCode, Failure},
    load::Rotation,
    report::{Tally, lines, started},
};
use graceful_plan::duration::parse as duration;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{sleep, timeout};

/// How long the process stays after its last line: a kubelet can lose the end of the log of a container that exits.
const LINGER: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    traffic: traffic::Traffic,
    /// The limit until the URL responds with 2xx
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    start_timeout: Duration,
    /// The longest load
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    limit: Duration,
}

/// Sends the load until SIGTERM, and prints what it counted.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let Options { traffic, start_timeout, limit } = options;
    traffic.check(limit)?;
    let long = traffic.long_endpoints(None)?;
    let mut interrupt = Interrupt::new()?;
    let (endpoint, address) = tokio::select! {
        reached = readiness::reach_service(&traffic, start_timeout) => reached?,
        () = interrupt.next() => return Ok(ExitCode::Interrupted),
    };
    let rotation = Rotation::default();
    rotation.add(address);
    let load = traffic.start(traffic::Target { endpoint, long, rotation, rolling: true })?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = since.as_micros() as i64 - load.shared.schedule.now() as i64;
    console::print(&started(since.div_euclid(1_000_000)))?;
    let _ = timeout(limit, interrupt.next()).await;
    let log = load.finish().await;
    console::print(&lines(&Tally::of(&log, -since.rem_euclid(1_000_000))))?;
    tokio::select! {
        () = sleep(LINGER) => {}
        () = interrupt.next() => {}
    }
    Ok(ExitCode::Passed)
}
