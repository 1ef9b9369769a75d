//! `cargo graceful manifest`.

mod fix;
mod generate;

use crate::{
    exit_code::{ExitCode, Failure},
    manifest::Kind,
    process::Target,
};
use std::{path::PathBuf, time::Duration};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// The kind of the workload
    #[arg(long, value_enum, default_value = "deployment", conflicts_with = "fix")]
    kind: Kind,
    /// The port of the traffic
    #[arg(long, default_value = "3000", conflicts_with = "fix", value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// The name of all objects and of the container [default: the executable's]
    #[arg(long, conflicts_with = "fix", value_parser = generate::name)]
    name: Option<String>,
    /// The image [default: a placeholder]
    #[arg(long, conflicts_with = "fix", value_parser = generate::image)]
    image: Option<String>,
    /// The number of pods
    #[arg(long, value_name = "NUMBER", default_value = "2", conflicts_with = "fix", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    replicas: u32,
    /// Print the Dockerfile instead; with --fix, fix the image's Dockerfile FILE as well
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    dockerfile: Option<Option<PathBuf>>,
    /// Write NAME.yaml and Dockerfile to this folder instead of standard output
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["fix", "dockerfile"])]
    write: Option<PathBuf>,
    /// With --write: replace files that exist
    #[arg(long, requires = "write")]
    force: bool,
    /// Change these manifests in place, where a rule has a mechanical fix; shows the diff first
    #[arg(long, value_name = "FILE", num_args = 1..)]
    fix: Vec<PathBuf>,
    /// With --fix: the name of the program's container
    #[arg(long, value_name = "NAME", requires = "fix")]
    container: Option<String>,
    /// With --fix: write without a question
    #[arg(short, long, requires = "fix")]
    yes: bool,
    /// How long the program may take to print its plan
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = graceful_plan::duration::parse)]
    timeout: Duration,
}

/// Prints or writes a manifest and a Dockerfile, or fixes those that exist.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    match (&options.dockerfile, options.fix.is_empty()) {
        (Some(Some(file)), true) => Err(Failure::new(
            ExitCode::Usage,
            format!("--dockerfile {} needs --fix; without a file, --dockerfile prints a Dockerfile", file.display()),
        )),
        (Some(None), false) => Err(Failure::new(ExitCode::Usage, "with --fix, --dockerfile takes a file")),
        (_, true) => generate::run(options).await,
        (_, false) => fix::run(options).await,
    }
}
