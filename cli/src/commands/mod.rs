//! The command line.

mod check;
mod docs;
mod explain;
mod plan;
mod rehearse;

use crate::exit_code::{ExitCode, Failure};
use clap::{CommandFactory, Parser, Subcommand};

/// Graceful shutdown: draws the plan of a program, checks its manifests, and rehearses its shutdown under load.
#[derive(Debug, Parser)]
#[command(name = "cargo-graceful", bin_name = "cargo graceful", version, after_help = ExitCode::help())]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Draw the shutdown plan of a program that uses `graceful`
    #[command(after_help = ExitCode::help())]
    Plan(plan::Options),
    /// Check Kubernetes manifests and a Dockerfile, against the plan of a program where one is named
    #[command(after_help = ExitCode::help())]
    Check(Box<check::Options>),
    /// Explain a rule of `check`
    Explain(explain::Options),
    /// Shut a program down under load, and judge
    #[command(after_help = ExitCode::help())]
    Rehearse(Box<rehearse::Options>),
    /// Print the completions of a shell
    Completions(docs::Options),
    /// Print the man page
    Man,
}

impl Arguments {
    /// Runs the command.
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Plan(options) => plan::run(options).await,
            Command::Check(options) => check::run(*options).await,
            Command::Explain(options) => explain::run(&options),
            Command::Rehearse(options) => rehearse::run(*options).await,
            Command::Completions(options) => docs::completions(&options, Self::command()),
            Command::Man => docs::man(&Self::command()),
        }
    }
}
