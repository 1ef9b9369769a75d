//! What cargo knows about the workspace.

use crate::{
    exit_code::{ExitCode, Failure},
    report::span,
};
use serde_json::Value;
use std::{env, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// The limit for cargo, which reads the manifests of the workspace.
const LIMIT: Duration = Duration::from_secs(60);

/// `cargo metadata` of the current folder's workspace, without dependencies and without the network.
///
/// # Errors
/// There is no workspace, or one of its manifests is wrong.
pub(crate) async fn metadata() -> Result<Value, Failure> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let failed = |error: String| Failure::new(ExitCode::Input, error);
    let mut command = Command::new(&cargo);
    command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(LIMIT, command.output())
        .await
        .map_err(|_| failed(format!("cargo metadata took longer than {}", span(LIMIT))))?
        .map_err(|error| failed(format!("cannot run {}: {error}", cargo.display())))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<_> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        return Err(failed(format!("cargo metadata failed: {}", lines.join(" "))));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(format!("cargo metadata printed no JSON: {error}")))
}
