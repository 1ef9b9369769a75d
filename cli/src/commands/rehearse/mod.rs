//! `cargo graceful rehearse`.

mod interrupt;
mod options;
mod progress;
mod readiness;
mod run;

pub(crate) use options::Options;

use crate::{
    console,
    exit_code::{ExitCode, Failure},
    process::{Part, Program},
    report::{Verdict, html, json, svg, text},
};
use interrupt::{Interrupt, interrupted};
use progress::Progress;
use run::Addresses;
use std::{ffi::OsString, time::Duration};

/// How long an interrupted rehearsal waits for the program before SIGKILL.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of standard output is kept for messages.
const KEPT_OUTPUT: usize = 16 * 1024;

/// Rehearses a shutdown and reports it.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    options.check()?;
    let mut interrupt = Interrupt::new()?;
    let command = tokio::select! {
        command = command(&options) => command?,
        () = interrupt.next() => return Err(interrupted()),
    };
    let addresses = Addresses::resolve(&options).await?;
    let progress = Progress::new();
    let shown = shown(&command);
    let mut program = Program::start(&command, &[], Part::Last(KEPT_OUTPUT))?;
    progress.line(&format!("started {shown} as process {}", program.id()));
    let result = tokio::select! {
        result = run::rehearse(&mut program, shown, &options, addresses, &progress) => result,
        () = interrupt.next() => {
            progress.line("interrupted: SIGTERM to the program; a second time sends SIGKILL");
            Err(interrupted())
        }
    };
    tokio::select! {
        () = program.end(PATIENCE) => {}
        // Dropping the program kills its group.
        () = interrupt.next() => {}
    }
    drop(progress);
    let summary = result?;
    let verdict = Verdict::of(&summary);
    for (file, content) in [(&options.html, html(&summary, &verdict)), (&options.svg, svg(&summary, &verdict))] {
        if let Some(file) = file {
            let failed = |error| Failure::new(ExitCode::Io, format!("cannot write {}: {error}", file.display()));
            std::fs::write(file, content).map_err(failed)?;
        }
    }
    console::print(&if options.json { json(&summary, &verdict) } else { text(&summary, &verdict) })?;
    Ok(if verdict.passed() { ExitCode::Passed } else { ExitCode::Failed })
}

async fn command(options: &Options) -> Result<Vec<OsString>, Failure> {
    match options.command.is_empty() {
        true => Ok(vec![options.target.executable().await?]),
        false => Ok(options.command.clone()),
    }
}

/// The command on one line, at most 200 characters of it.
fn shown(command: &[OsString]) -> String {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ").chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}
