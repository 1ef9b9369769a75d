//! Builds one program in one configuration.

use crate::configuration::Configuration;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The target directory of all builds, the one of `tests/tests/linking.rs`. It persists, so that a second run is fast.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join("tmp/linking")
}

/// The file that cargo made of one target of a package: `["--bin", "linked"]`.
///
/// # Errors
/// The messages of cargo and rustc.
pub fn build(configuration: &Configuration, package: &str, select: &[&str]) -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["rustc", "--quiet", "--message-format=json-render-diagnostics", "--package", package]).args(select);
    if configuration.release {
        cargo.arg("--release");
    }
    if let Some(target) = configuration.target {
        // Without rustup, cargo says what is missing.
        let _ = Command::new("rustup").args(["--quiet", "target", "add", target]).status();
        cargo.args(["--target", target]);
    }
    cargo.args(["--target-dir".as_ref(), target().as_os_str()]).current_dir(root());
    for (name, value) in configuration.profile {
        cargo.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
    }
    let built = cargo.arg("--").args(configuration.rustc).output().map_err(|error| error.to_string())?;
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).into_owned());
    }
    let stdout = String::from_utf8_lossy(&built.stdout);
    let mut messages = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    // The last artifact is the one that was asked for, because the others are its dependencies.
    let artifact = messages.rfind(|message| message["reason"] == "compiler-artifact");
    let file = artifact.as_ref().and_then(|artifact| artifact["filenames"][0].as_str());
    file.map(PathBuf::from).ok_or_else(|| format!("cargo names no artifact: {stdout}"))
}

/// Whether the file shows that the configuration had its effect.
///
/// # Errors
/// What is missing in the file, or should not be in it.
pub fn check_evidence(configuration: &Configuration, file: &Path) -> Result<(), String> {
    let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let contains = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let evidence = configuration.evidence;
    if let Some(text) = evidence.present.iter().find(|text| !contains(text)) {
        return Err(format!("{} does not contain `{text}`", file.display()));
    }
    match evidence.absent.iter().find(|text| contains(text)) {
        Some(text) => Err(format!("{} contains `{text}`", file.display())),
        None => Ok(()),
    }
}
