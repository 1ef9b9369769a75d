//! Applies mechanical fixes to files, after a look at the diff.

use super::options::Options;
use crate::{
    check::facts,
    commands::{check, plan},
    console,
    exit_code::{ExitCode, Failure},
    manifest::diff,
    replace::replace,
};
use graceful_deploy::{Finding, Fix, Fixed, Needs, rules};
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

/// A file with its text as it was read.
struct Read<'a> {
    path: &'a Path,
    name: String,
    text: String,
}

/// Shows the diff, and writes the files after a yes.
pub(super) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let manifests = read(&options.fix)?;
    let dockerfile = options.dockerfile.iter().flatten().cloned().collect::<Vec<_>>();
    let dockerfile = read(&dockerfile)?;
    let facts = match options.target.is_named() {
        true => {
            let printed = plan::of(&options.target, options.timeout).await?;
            Some(facts::of(&printed).map_err(plan::incomplete)?)
        }
        false => None,
    };
    let mut fix = manifests.iter().fold(Fix::new(), |fix, file| fix.manifest(&file.name, &file.text));
    if let Some(file) = dockerfile.first() {
        fix = fix.dockerfile(&file.name, &file.text);
    }
    if let Some(facts) = &facts {
        fix = fix.facts(facts);
    }
    if let Some(container) = &options.container {
        fix = fix.container(container);
    }
    let fixed = fix.run().map_err(check::unreadable)?;
    let files: Vec<_> = manifests.iter().chain(&dockerfile).collect();
    let changes = fixed.texts.iter().filter_map(|(name, new)| {
        let file = files.iter().find(|file| file.name == *name)?;
        Some((*file, new.as_str()))
    });
    let changes: Vec<_> = changes.collect();
    for (file, new) in &changes {
        console::show(&diff(&file.name, &file.text, new))?;
    }
    console::progress(&summary(&fixed, facts.is_some()));
    if changes.is_empty() {
        return Ok(ExitCode::Passed);
    }
    if !options.yes && !asked()? {
        return Ok(ExitCode::Failed);
    }
    write(&changes)?;
    Ok(ExitCode::Passed)
}

/// Reads each file once.
fn read(paths: &[PathBuf]) -> Result<Vec<Read<'_>>, Failure> {
    let mut seen = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        if name == "-" {
            return Err(Failure::new(ExitCode::Usage, "--fix changes files, and `-` is standard input"));
        }
        let text = check::read(&name)?;
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if !seen.contains(&real) {
            seen.push(real);
            files.push(Read { path, name, text });
        }
    }
    Ok(files)
}

/// Whether the user at the terminal agrees.
fn asked() -> Result<bool, Failure> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        console::say("nothing is written; --yes writes\n");
        return Ok(false);
    }
    let failed = |error| Failure::new(ExitCode::Io, format!("cannot ask: {error}"));
    console::say("write? [y/N] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(failed)?;
    let agrees = ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str());
    if !agrees {
        console::say("nothing is written\n");
    }
    Ok(agrees)
}

/// Writes all files, or none if one has changed since it was read.
fn write(changes: &[(&Read<'_>, &str)]) -> Result<(), Failure> {
    for (file, _) in changes {
        if check::read(&file.name)? != file.text {
            let message = format!("{} has changed meanwhile; nothing is written, run the command again", file.name);
            return Err(Failure::new(ExitCode::Io, message));
        }
    }
    for (file, new) in changes {
        replace(file.path, new)
            .map_err(|error| Failure::new(ExitCode::Io, format!("cannot write {}: {error}", file.name)))?;
        console::progress(&format!("wrote {}\n", file.name));
    }
    Ok(())
}

/// What is fixed, and what is left.
fn summary(fixed: &Fixed, knows_program: bool) -> String {
    let mut text = String::new();
    if fixed.fixed.is_empty() {
        text += if fixed.left.is_empty() { "no finding\n" } else { "no finding has a mechanical fix\n" };
    }
    let ids = |findings: &[Finding]| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        findings.iter().for_each(|finding| *counts.entry(finding.rule.id).or_default() += 1);
        let counts =
            counts.into_iter().map(|(id, count)| if count == 1 { id.to_owned() } else { format!("{id} ({count})") });
        counts.collect::<Vec<_>>().join(", ")
    };
    if !fixed.fixed.is_empty() {
        text += &format!("fixes: {}\n", ids(&fixed.fixed));
    }
    if !fixed.left.is_empty() {
        text += &format!("left to you: {}; `cargo graceful check` shows them\n", ids(&fixed.left));
    }
    if !knows_program {
        let skipped = rules().filter(|rule| rule.needs == Needs::Program).count();
        text += &format!("{skipped} rules need the program and were skipped; name it with --bin, --example or --exe\n");
    }
    text
}
