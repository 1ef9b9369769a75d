//! `cargo graceful plan`.

use crate::{
    console,
    exit_code::{ExitCode, Failure},
    plan::{self, Plan},
    process::{Part, Program, Target},
    report::span,
};
use std::{ffi::OsString, time::Duration};
use tokio::time::timeout;

/// The limit of a printed plan in bytes.
const LONGEST: usize = 1 << 20;
/// The limit until the output of a program that has exited is read.
const OUTPUT: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// How to draw the plan
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// How long the program may take to print its plan
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = graceful_plan::duration::parse)]
    timeout: Duration,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Svg,
}

/// Builds the program, asks it for its plan, and prints the plan.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let plan = of(&options.target, options.timeout).await?;
    match options.format {
        Format::Text => console::show(&plan::text(&plan)),
        Format::Json => console::print(&format!("{:#}\n", plan.json)),
        Format::Svg => console::print(&plan::svg(&plan)),
    }?;
    Ok(ExitCode::Passed)
}

/// Builds the program and asks it for its plan.
pub(super) async fn of(target: &Target, limit: Duration) -> Result<Plan, Failure> {
    of_executable(target.executable().await?, limit).await
}

/// Asks the executable for its plan.
pub(super) async fn of_executable(executable: OsString, limit: Duration) -> Result<Plan, Failure> {
    let mut program = Program::start(&[executable], &[("GRACEFUL_PRINT", "plan")], Part::First(LONGEST))?;
    let ended = wait(&mut program, limit).await;
    program.kill();
    ended.and_then(|()| {
        Plan::parse(&program.stdout.text()).map_err(|error| {
            let message = format!("the program printed no plan ({error}); is its `main` under #[graceful::main]?");
            Failure::new(ExitCode::Plan, message)
        })
    })
}

/// A printed plan that lacks a setting.
pub(super) fn incomplete(error: String) -> Failure {
    Failure::new(ExitCode::Plan, format!("the printed plan is not complete: {error}"))
}

/// Waits until the program has printed its plan and exited.
async fn wait(program: &mut Program, limit: Duration) -> Result<(), Failure> {
    let refused = |text: String| Err(Failure::new(ExitCode::Plan, text));
    let end = tokio::time::Instant::now() + limit;
    loop {
        match timeout(Duration::from_millis(50), program.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => break,
            Ok(status) => {
                let status = status?;
                program.stderr.read_to_end(OUTPUT).await;
                console::forward(&program.stderr.text());
                return refused(format!("the program ended with {status}"));
            }
            Err(_) if program.stdout.total() > LONGEST as u64 => {
                return refused(format!(
                    "the program printed more than {LONGEST} bytes; is its `main` under #[graceful::main]?"
                ));
            }
            Err(_) if tokio::time::Instant::now() >= end => {
                return refused(format!(
                    "the program did not print a plan and exit within {}; is its `main` under #[graceful::main]?",
                    span(limit)
                ));
            }
            Err(_) => {}
        }
    }
    program.stdout.read_to_end(OUTPUT).await;
    Ok(())
}
