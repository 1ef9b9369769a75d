//! One rehearsal: start, load, signal, exit.

use super::{options::Options, progress::Progress, readiness};
use crate::{
    exit_code::{ExitCode, Failure},
    load::{Endpoint, Load, Mode, Schedule, Shared},
    process::Program,
    report::{Exit, Shutdown, Subject, Summary},
};
use std::{
    convert::Infallible,
    net::SocketAddr,
    process::ExitStatus,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::{Instant, interval, sleep, timeout};

/// How long children may outlive the program.
const CHILDREN: Duration = Duration::from_millis(500);
/// How long the program may take to end after SIGKILL.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// The addresses of all URLs.
#[derive(Debug)]
pub(crate) struct Addresses {
    url: Vec<SocketAddr>,
    ready: Vec<SocketAddr>,
    slow: Option<SocketAddr>,
}

impl Addresses {
    /// Resolves every URL, and checks that no other process listens there.
    pub(crate) async fn resolve(options: &Options) -> Result<Self, Failure> {
        let url = readiness::resolve(&options.url).await?;
        let ready = match &options.ready {
            Some(ready) => readiness::resolve(ready).await?,
            None => Vec::new(),
        };
        let slow = match &options.slow {
            Some(slow) => readiness::resolve(slow).await?.first().copied(),
            None => None,
        };
        readiness::check_unused(&url).await?;
        readiness::check_unused(&ready).await?;
        Ok(Self { url, ready, slow })
    }
}

/// Rehearses the shutdown of a started program.
pub(crate) async fn rehearse(
    program: &mut Program,
    command: String,
    options: &Options,
    addresses: Addresses,
    progress: &Progress,
) -> Result<Summary, Failure> {
    let (started, end) = (Instant::now(), Instant::now() + options.start_timeout);
    let watched = match &options.ready {
        Some(ready) => {
            Some((readiness::wait(program, ready, &addresses.ready, Mode::NewConnections, options, end).await?, ready))
        }
        None => None,
    };
    let mut usable = addresses.url;
    for mode in options.modes() {
        // The next kind of client uses the address that the first one found.
        usable = vec![readiness::wait(program, &options.url, &usable, mode, options, end).await?];
    }
    let address = usable[0];
    progress.line(&format!("ready after {:.1?}", started.elapsed()));

    let (rate, connections, modes) = (options.rate, options.connections, options.modes());
    let names: Vec<_> = modes.iter().map(|mode| mode.name()).collect();
    let names = names.join(" and ");
    let keep_alive = modes.contains(&Mode::KeepAlive);
    let shared = Shared {
        schedule: Schedule::new(rate),
        endpoint: options.url.clone(),
        address,
        modes,
        limit: options.timeout,
        removed: AtomicBool::new(false),
        ended: AtomicU64::new(0),
        failed: AtomicU64::new(0),
    };
    // With several addresses of the host, the one that the load uses.
    let slow = addresses.slow.map(|slow| if slow.port() == address.port() { address } else { slow });
    let load = Load::start(shared, connections, options.slow.clone().zip(slow))
        .map_err(|error| Failure::new(ExitCode::Io, format!("cannot start the load: {error}")))?;
    progress.line(&format!("{rate} requests/s over {connections} connections, {names}"));
    let shared = load.shared.clone();
    let shutdown = tokio::select! {
        shutdown = shut_down(program, options, &shared, watched, progress) => shutdown?,
        never = live(progress, &shared) => match never {},
    };
    let log = load.finish().await;
    let subject = Subject {
        command,
        url: options.url.url.clone(),
        modes: names,
        keep_alive,
        rate,
        connections,
        propagation: micros(options.propagation),
        termination_grace_period: micros(options.termination_grace_period),
    };
    Ok(Summary::new(subject, &log, shutdown))
}

/// Sends the signal in the middle of the load and follows the shutdown to the end of the process.
async fn shut_down(
    program: &mut Program,
    options: &Options,
    shared: &Shared,
    watched: Option<(SocketAddr, &Endpoint)>,
    progress: &Progress,
) -> Result<Shutdown, Failure> {
    tokio::select! {
        status = program.wait() => return Err(readiness::ended(program, &status?.to_string(), "before the signal").await),
        () = sleep(options.duration / 2) => {}
    }
    let (schedule, signal) = (&shared.schedule, options.signal.name());
    let sent = schedule.now();
    let failed = |error| Failure::new(ExitCode::Io, format!("cannot send {signal}: {error}"));
    program.signal(options.signal).map_err(failed)?;
    progress.line(&format!("{signal} to process {}", program.id()));
    let mut unready = None;
    let (exit, exited) = {
        let exit = async { (exit(program, options.termination_grace_period, progress).await, schedule.now()) };
        let removal = async {
            sleep(options.propagation).await;
            shared.removed.store(true, Ordering::Relaxed);
            progress.line("load balancers have removed the program: no new connections");
        };
        let ending = async { tokio::join!(exit, removal).0 };
        let watch = async {
            match watched {
                Some((address, ready)) => readiness::watch(address, ready, schedule).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(ending, watch);
        loop {
            tokio::select! {
                ended = &mut ending => break ended,
                seen = &mut watch, if unready.is_none() => {
                    progress.line(&format!("the readiness URL turned unready ({})", seen.1));
                    unready = Some(seen);
                }
            }
        }
    };
    let exit = exit?;
    let children_left = exit != Exit::Killed && program.children_left(CHILDREN).await;
    let printed = program.stdout.total() + program.stderr.total();
    let watched = watched.is_some();
    Ok(Shutdown { signal, sent, watched, unready, exited, exit, children_left, printed })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Waits for the exit, and sends SIGKILL at the end of the termination grace period.
async fn exit(program: &mut Program, limit: Duration, progress: &Progress) -> Result<Exit, Failure> {
    if let Ok(status) = timeout(limit, program.wait()).await {
        let status = status?;
        progress.line(&format!("the program ended: {status}"));
        return Ok(of_status(status));
    }
    progress.line(&format!("still running after {limit:?}: SIGKILL"));
    program.kill();
    match timeout(AFTER_KILL, program.wait()).await {
        Ok(status) => status.map(|_| Exit::Killed),
        Err(_) => Err(Failure::new(ExitCode::Io, "the program did not end after SIGKILL")),
    }
}

fn of_status(status: ExitStatus) -> Exit {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Exit::Signal(signal);
    }
    Exit::Code(status.code().unwrap_or(-1))
}

/// Updates the live line. Never ends.
async fn live(progress: &Progress, shared: &Shared) -> Infallible {
    let mut ticks = interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        progress.live(|| {
            let (ended, failed) = (shared.ended.load(Ordering::Relaxed), shared.failed.load(Ordering::Relaxed));
            format!("{:.1}s: {ended} requests, {failed} failed", shared.schedule.now() as f64 / 1e6)
        });
    }
}
