//! What the programs list and run, beside what their sources contain.

use crate::{
    build::{build, check_evidence},
    configuration::Configuration,
};
use serde_json::Value;
use std::{path::Path, process::Command};

const APP: &str = "graceful-links-app";
const THIRD: &str = "graceful-links-third";
const PLUGIN: &str = "graceful-links-plugin";

/// The hooks of `linked` in their order, and its checks: package and name.
const HOOKS: [(&str, &str); 3] = [(APP, "app_hook"), (APP, "library_hook"), (THIRD, "third_hook")];
const CHECKS: [(&str, &str); 3] = [(APP, "app_check"), (APP, "library_check"), (THIRD, "third_check")];

/// What a check has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The program lists and runs what its sources contain.
    AsWritten,
    /// The configuration has no such program: a static program loads no cdylib.
    Impossible,
}

/// Builds a program with hooks and checks in its own file, in the library of its package and in a third crate.
///
/// # Errors
/// What differs from the sources, or why the program was not built.
pub fn check_linked(configuration: &Configuration) -> Result<Outcome, String> {
    let program = build(configuration, APP, &["--bin", "linked"])?;
    check_evidence(configuration, &program)?;
    same("hooks", &listed(&program, "hooks")?, &HOOKS)?;
    same("checks", &listed(&program, "checks")?, &CHECKS)?;
    // The checks end before `main` does, and the hooks run after it.
    let ran = run(&program, &[], &[])?;
    let expected = CHECKS.iter().chain(&HOOKS).map(|(_, name)| format!("ran {name}\n")).collect::<String>();
    if ran == expected { Ok(Outcome::AsWritten) } else { Err(format!("ran\n{ran}instead of\n{expected}")) }
}

/// Builds a program that does not name the library of its package: only its own hook is linked.
///
/// # Errors
/// As [`check_linked`].
pub fn check_unnamed(configuration: &Configuration) -> Result<Outcome, String> {
    let program = build(configuration, APP, &["--bin", "unnamed"])?;
    same("hooks", &listed(&program, "hooks")?, &[(APP, "only_hook")])?;
    same("checks", &listed(&program, "checks")?, &[])?;
    let ran = run(&program, &[], &[])?;
    if ran == "ran only_hook\n" { Ok(Outcome::AsWritten) } else { Err(format!("ran\n{ran}")) }
}

/// Builds a program that loads a cdylib at run time: each of the two has its own hooks, and runs only these.
///
/// # Errors
/// As [`check_linked`].
pub fn check_plugin(configuration: &Configuration) -> Result<Outcome, String> {
    if configuration.is_static() {
        return Ok(Outcome::Impossible);
    }
    let plugin = build(configuration, PLUGIN, &["--lib"])?;
    let loader = build(configuration, PLUGIN, &["--bin", "loader"])?;
    same("hooks of the loader", &listed(&loader, "hooks")?, &[(PLUGIN, "loader_hook")])?;
    let ran = run(&loader, &[plugin.as_os_str()], &[])?;
    let expected = "ran plugin_hook\nthe plugin returned 0\nran loader_hook\n";
    if ran == expected { Ok(Outcome::AsWritten) } else { Err(format!("ran\n{ran}instead of\n{expected}")) }
}

fn same(what: &str, found: &[(String, String)], written: &[(&str, &str)]) -> Result<(), String> {
    let same = found.iter().map(|(package, name)| (package.as_str(), name.as_str())).eq(written.iter().copied());
    if same { Ok(()) } else { Err(format!("linked {what}: {found:?}; written: {written:?}")) }
}

/// The packages and names that the printed plan lists.
fn listed(program: &Path, key: &str) -> Result<Vec<(String, String)>, String> {
    let plan = run(program, &[], &[("GRACEFUL_PRINT", "plan")])?;
    let plan: Value = serde_json::from_str(&plan).map_err(|error| format!("{error} in {plan}"))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut list: Vec<_> = plan[key].as_array().into_iter().flatten().collect();
    if key == "checks" {
        // Checks have no order.
        list.sort_by_key(|check| text(&check["name"]));
    }
    Ok(list.into_iter().map(|entry| (text(&entry["crate"]), text(&entry["name"]))).collect())
}

/// The standard output of a program that exits with 0.
fn run(program: &Path, arguments: &[&std::ffi::OsStr], variables: &[(&str, &str)]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).env("GRACEFUL_HEALTH", "127.0.0.1:0").envs(variables.iter().copied());
    let ended = command.output().map_err(|error| format!("{}: {error}", program.display()))?;
    let stdout = String::from_utf8_lossy(&ended.stdout).into_owned();
    if ended.status.success() {
        return Ok(stdout);
    }
    Err(format!("{}: {}\n{stdout}{}", program.display(), ended.status, String::from_utf8_lossy(&ended.stderr)))
}
