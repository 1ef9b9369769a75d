//! One rehearsal: start, load, signal, exit; or one copy after the other.

use super::{options::Options, progress::Progress, readiness, replica::Replica, traffic};
use crate::{
    exit_code::{ExitCode, Failure},
    load::{Mode, Rotation, Shared},
    process::Program,
    report::{Exit, Observed, Origin, Shutdown, Subject, Summary, Tally, span},
};
use std::{ffi::OsString, path::Path, process::ExitStatus, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// How long children may outlive the program.
const CHILDREN: Duration = Duration::from_millis(500);
/// How long the program may take to end after SIGKILL.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// How long the load goes on after a rolling restart.
const TAIL: Duration = Duration::from_millis(500);

/// Starts every copy of the program, rehearses, and leaves the running copies in `replicas`.
pub(crate) async fn rehearse(
    replicas: &mut Vec<Replica>,
    command: &[OsString],
    options: &Options,
    progress: &Progress,
) -> Result<Summary, Failure> {
    for number in 1..=options.replicas {
        let name = if options.rolling { format!("replica {number}") } else { "the program".to_owned() };
        replicas.push(Replica::start(name, command, options, progress).await?);
    }
    let rotation = Rotation::default();
    for replica in replicas.iter_mut() {
        rotation.add(replica.wait_ready(options, progress).await?);
    }
    let Some(first) = replicas.first() else { return Err(Failure::new(ExitCode::Usage, "--replicas is 0")) };

    let traffic = &options.traffic;
    let target =
        traffic::Target { endpoint: first.url.clone(), long: first.long(options)?, rotation, rolling: options.rolling };
    let load = traffic.start(target)?;
    progress.line(&traffic.line());
    let shared = load.shared.clone();
    let shutdowns = tokio::select! {
        shutdowns = shut_down_all(replicas, command, options, &shared, progress) => shutdowns?,
        never = traffic::live(progress, &shared) => match never {},
    };
    let log = load.finish().await;
    let subject = Subject {
        command: shown(command),
        url: traffic.url.text().to_owned(),
        modes: traffic.names(),
        keep_alive: traffic.used_modes().contains(&Mode::KeepAlive),
        rate: traffic.rate,
        connections: traffic.connections,
        load_pods: 0,
        propagation: micros(options.propagation),
        termination_grace_period: micros(options.termination_grace_period),
    };
    let signal = options.signal.name();
    let name = if shutdowns.len() > 1 { format!("the first {signal}") } else { signal.to_owned() };
    let origin = Origin { at: shutdowns.first().map_or(0, |shutdown| shutdown.sent), name };
    let tally = Tally::of(&log, origin.at as i64);
    Ok(Summary::new(subject, origin, tally, shutdowns))
}

/// The command on one line, at most 200 characters of it. A path in the current folder is relative to it.
fn shown(command: &[OsString]) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let word = |word: &OsString| Path::new(word).strip_prefix(&here).unwrap_or(Path::new(word)).display().to_string();
    let words: Vec<_> = command.iter().map(word).collect();
    words.join(" ").chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

/// Shuts every first copy down, in the middle of the load. In a rolling restart a new copy is ready before.
async fn shut_down_all(
    replicas: &mut Vec<Replica>,
    command: &[OsString],
    options: &Options,
    shared: &Shared,
    progress: &Progress,
) -> Result<Vec<Shutdown>, Failure> {
    let middle = Instant::now() + options.duration / 2;
    let mut next = 0;
    while Instant::now() < middle {
        // Each copy in turn, so that an early end is noticed.
        let replica = &mut replicas[next % options.replicas as usize];
        let pause = middle.saturating_duration_since(Instant::now()).min(Duration::from_millis(50));
        if let Ok(status) = timeout(pause, replica.program.wait()).await {
            return Err(readiness::ended(&replica.program, &status?.to_string(), "before the signal").await);
        }
        next += 1;
    }
    let mut shutdowns = Vec::new();
    for number in 0..options.replicas as usize {
        if options.rolling {
            let name = format!("new replica {}", number + 1);
            replicas.push(Replica::start(name, command, options, progress).await?);
            // The copy is in the list while it starts, so that an interruption ends it in order.
            if let Some(new) = replicas.last_mut() {
                shared.rotation.add(new.wait_ready(options, progress).await?);
            }
        }
        shutdowns.push(shut_down(&mut replicas[number], options, shared, progress).await?);
    }
    if options.rolling {
        sleep(TAIL).await;
    }
    Ok(shutdowns)
}

/// Sends the signal to a copy and follows its shutdown to the end of the process.
async fn shut_down(
    replica: &mut Replica,
    options: &Options,
    shared: &Shared,
    progress: &Progress,
) -> Result<Shutdown, Failure> {
    let Replica { name, program, address, ready, .. } = replica;
    let (schedule, signal) = (&shared.schedule, options.signal.name());
    let sent = schedule.now();
    let failed = |error| Failure::new(ExitCode::Io, format!("cannot send {signal}: {error}"));
    program.signal(options.signal).map_err(failed)?;
    progress.line(&format!("{signal} to {name}, process {}", program.id()));
    let mut unready = None;
    let (exit, exited) = {
        let exit = async { (exit(program, name, options.termination_grace_period, progress).await, schedule.now()) };
        let removal = async {
            sleep(options.propagation).await;
            address.iter().for_each(|address| shared.rotation.remove(*address));
            progress.line(&format!("load balancers have removed {name}: no new connections to it"));
        };
        let ending = async { tokio::join!(exit, removal).0 };
        let watch = async {
            match &ready {
                Some((address, ready)) => readiness::watch(*address, ready, schedule).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(ending, watch);
        loop {
            tokio::select! {
                ended = &mut ending => break ended,
                seen = &mut watch, if unready.is_none() => {
                    progress.line(&format!("the readiness URL of {name} turned unready ({})", seen.1));
                    unready = Some(seen);
                }
            }
        }
    };
    let exit = exit?;
    let children_left = exit != Exit::Killed && program.children_left(CHILDREN).await;
    let printed = program.stdout.total() + program.stderr.total();
    let (name, watched) = (name.clone(), ready.is_some());
    let observed = Observed::Process { watched, children_left, printed };
    Ok(Shutdown { name, signal, sent, unready, exited, exit, observed })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Waits for the exit, and sends SIGKILL at the end of the termination grace period.
async fn exit(program: &mut Program, name: &str, limit: Duration, progress: &Progress) -> Result<Exit, Failure> {
    if let Ok(status) = timeout(limit, program.wait()).await {
        let status = status?;
        progress.line(&format!("{name} ended: {status}"));
        return Ok(of_status(status));
    }
    progress.line(&format!("{name} still runs after {}: SIGKILL", span(limit)));
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
