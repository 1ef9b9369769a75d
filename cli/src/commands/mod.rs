//! The command line.

mod check;
mod docs;
mod explain;
mod init;
mod manifest;
mod plan;
mod rehearse;

use crate::{
    console::{self, Color},
    exit_code::{ExitCode, Failure},
};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;

/// Graceful shutdown: draws the plan of a program, checks its manifests, converts it, and rehearses its shutdown under
/// load.
#[derive(Debug, Parser)]
#[command(name = "cargo-graceful", bin_name = "cargo graceful", version, after_help = ExitCode::help())]
pub(crate) struct Arguments {
    /// Print no progress on standard error; results and errors are printed
    #[arg(short, long, global = true)]
    quiet: bool,
    /// When to colour text
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    color: Color,
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
    /// Convert a program to `#[graceful::main]`, step by step
    #[command(after_help = ExitCode::help())]
    Init(init::Options),
    /// Print a manifest and a Dockerfile for a program, or fix those that exist
    #[command(after_help = ExitCode::help())]
    Manifest(Box<manifest::Options>),
    /// Explain a rule of `check`
    Explain(explain::Options),
    /// Shut a program down under load, and judge
    #[command(after_help = ExitCode::help())]
    Rehearse(Box<rehearse::Options>),
    /// Send a load and print what it counted: the program of the pods of `rehearse --load-pods`
    #[command(hide = true)]
    Load(rehearse::LoadOptions),
    /// Print the completions of a shell
    Completions(docs::Options),
    /// Print the man page
    Man,
}

impl Arguments {
    /// Parses the arguments; help and errors end the process.
    pub(crate) fn parse(arguments: Vec<OsString>) -> Self {
        let command = Self::command().color(Color::of_arguments(&arguments).of_help());
        let parsed = Self::from_arg_matches(&command.get_matches_from(arguments)).unwrap_or_else(|error| error.exit());
        parsed.color.apply();
        console::set_quiet(parsed.quiet);
        parsed
    }

    /// Runs the command.
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Plan(options) => plan::run(options).await,
            Command::Check(options) => check::run(*options).await,
            Command::Init(options) => init::run(options).await,
            Command::Manifest(options) => manifest::run(*options).await,
            Command::Explain(options) => explain::run(&options),
            Command::Rehearse(options) => rehearse::run(*options).await,
            Command::Load(options) => rehearse::load(options).await,
            Command::Completions(options) => docs::completions(&options, Self::command()),
            Command::Man => docs::man(&Self::command()),
        }
    }
}
