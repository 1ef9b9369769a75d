//! `cargo graceful rehearse`.

mod cluster;
mod interrupt;
mod load_pod;
mod options;
mod progress;
mod readiness;
mod replica;
mod run;
mod template;
mod traffic;

pub(crate) use load_pod::{Options as LoadOptions, run as load};
pub(crate) use options::Options;

use crate::{
    console,
    exit_code::{ExitCode, Failure},
    report::{Summary, Verdict, html, json, svg, text},
};
use interrupt::{Interrupt, interrupted};
use progress::Progress;
use std::{ffi::OsString, time::Duration};
use tokio::task::JoinSet;

/// How long an interrupted rehearsal waits for the program before SIGKILL.
const PATIENCE: Duration = Duration::from_secs(10);

/// Rehearses a shutdown and reports it.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    options.check()?;
    let mut interrupt = Interrupt::new()?;
    let (summary, undone) = match &options.cluster.kubernetes {
        Some(target) => cluster::run(&options, target, &mut interrupt).await?,
        None => (here(&options, &mut interrupt).await?, Ok(())),
    };
    let verdict = Verdict::of(&summary);
    match options.json {
        true => console::print(&json(&summary, &verdict)),
        false => console::show(&text(&summary, &verdict)),
    }?;
    for (file, content) in [(&options.html, html(&summary, &verdict)), (&options.svg, svg(&summary, &verdict))] {
        if let Some(file) = file {
            let failed = |error| Failure::new(ExitCode::Io, format!("cannot write {}: {error}", file.display()));
            std::fs::write(file, content).map_err(failed)?;
        }
    }
    undone?;
    Ok(if verdict.passed() { ExitCode::Passed } else { ExitCode::Failed })
}

/// Rehearses with processes of this machine, and ends them.
async fn here(options: &Options, interrupt: &mut Interrupt) -> Result<Summary, Failure> {
    let command = tokio::select! {
        command = command(options) => command?,
        () = interrupt.next() => return Err(interrupted()),
    };
    let (progress, mut replicas) = (Progress::new(), Vec::new());
    let result = tokio::select! {
        result = run::rehearse(&mut replicas, &command, options, &progress) => result,
        () = interrupt.next() => {
            progress.line("interrupted: SIGTERM to the program; a second time sends SIGKILL");
            Err(interrupted())
        }
    };
    let mut ends = JoinSet::new();
    for replica in replicas {
        ends.spawn(replica.program.end(PATIENCE));
    }
    tokio::select! {
        () = async { while ends.join_next().await.is_some() {} } => {}
        () = interrupt.next() => ends.shutdown().await, // A dropped program kills its group.
    }
    result
}

async fn command(options: &Options) -> Result<Vec<OsString>, Failure> {
    match options.command.is_empty() {
        true => Ok(vec![options.target.executable().await?]),
        false => Ok(options.command.clone()),
    }
}
