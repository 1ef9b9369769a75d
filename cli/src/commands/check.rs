//! `cargo graceful check`.

use super::plan;
use crate::{
    check::{Places, facts, render, sarif, text},
    console,
    exit_code::{ExitCode, Failure},
    process::Target,
};
use graceful_deploy::{Check, Dockerfile, Manifest, Severity, Unreadable};
use std::{fs, io::Read, path::Path, time::Duration};

/// The limit of a file in bytes; one more byte is read, so that the parser names the limit.
const LONGEST: u64 = 4 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// Kubernetes manifests; `-` reads standard input
    #[arg(required_unless_present = "dockerfile", value_name = "FILE")]
    manifests: Vec<String>,
    /// The name of the program's container
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// The Dockerfile of the container's image; without a manifest it is checked alone
    #[arg(long, value_name = "FILE")]
    dockerfile: Option<String>,
    /// How to show the findings
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
    Github,
    Sarif,
}

/// Checks the manifests against the rules, and, if a program is named, against its plan.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let (mut places, mut manifests) = (Places::default(), Vec::new());
    for name in &options.manifests {
        let text = read(name)?;
        manifests.push(Manifest::parse(shown(name), &text).map_err(unreadable)?);
        places.add(shown(name), &text);
    }
    let mut dockerfile = None;
    if let Some(name) = &options.dockerfile {
        let text = read(name)?;
        dockerfile = Some(Dockerfile::parse(shown(name), &text).map_err(unreadable)?);
        places.add(shown(name), &text);
    }
    let facts = match options.target.is_named() {
        true => {
            let printed = plan::of(&options.target, options.timeout).await?;
            Some(facts::of(&printed).map_err(plan::incomplete)?)
        }
        false => None,
    };
    let mut check = Check::new(&manifests);
    if let Some(facts) = &facts {
        check = check.facts(facts);
    }
    if let Some(container) = &options.container {
        check = check.container(container);
    }
    if let Some(dockerfile) = &dockerfile {
        check = check.dockerfile(dockerfile);
    }
    let skipped: Vec<_> = check.skipped().collect();
    let findings = check.run();
    match options.format {
        Format::Text => console::show(&text::text(&findings, &places, &skipped, |file| fix_command(file, &options))),
        Format::Json => console::print(&render::json(&findings, &skipped)),
        Format::Github => console::print(&render::github(&findings)),
        Format::Sarif => console::print(&sarif::sarif(&findings, &places)),
    }?;
    let fails = findings.iter().any(|finding| finding.rule.severity > Severity::Hint);
    Ok(if fails { ExitCode::Failed } else { ExitCode::Passed })
}

/// The command that fixes this file mechanically; `None` for standard input.
fn fix_command(file: &str, options: &Options) -> Option<String> {
    let manifest = options.manifests.iter().find(|name| *name != "-")?;
    let (manifest, dockerfile) = match options.dockerfile.as_deref().filter(|name| *name == file) {
        Some(dockerfile) => (manifest.as_str(), format!(" --dockerfile {dockerfile}")),
        None => (file, String::new()),
    };
    let mut words = options.target.words();
    words.extend(options.container.iter().flat_map(|name| ["--container".to_owned(), name.clone()]));
    words.push(format!("--fix {manifest}{dockerfile}"));
    (file != shown("-")).then(|| format!("cargo graceful manifest {}", words.join(" ")))
}

fn shown(name: &str) -> &str {
    if name == "-" { "<stdin>" } else { name }
}

pub(super) fn read(name: &str) -> Result<String, Failure> {
    if name != "-" && Path::new(name).is_dir() {
        let message = format!("{name} is a folder; name the files: {}", Path::new(name).join("*.yaml").display());
        return Err(Failure::new(ExitCode::Input, message));
    }
    let mut bytes = Vec::new();
    let read = match name {
        "-" => std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes),
        path => fs::File::open(Path::new(path)).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::new(ExitCode::Input, format!("{}: {error}", shown(name))))?;
    graceful_deploy::decode(shown(name), &bytes).map(str::to_owned).map_err(unreadable)
}

pub(super) fn unreadable(error: Unreadable) -> Failure {
    Failure::new(ExitCode::Input, error.to_string())
}
