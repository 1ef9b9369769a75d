//! What git knows about files.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// The limit for git.
const LIMIT: Duration = Duration::from_secs(30);

/// The files that differ from the last commit or are not tracked; `None` if git does not know the folder.
pub(crate) async fn uncommitted(paths: &[&Path], folder: &Path) -> Option<Vec<PathBuf>> {
    let mut changed = Vec::new();
    for path in paths {
        let mut command = Command::new("git");
        command.args(["status", "--porcelain", "--ignored", "--"]).arg(path).current_dir(folder);
        command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let output = timeout(LIMIT, command.output()).await.ok()?.ok()?;
        if !output.status.success() {
            return None;
        }
        if !output.stdout.is_empty() {
            changed.push(path.to_path_buf());
        }
    }
    Some(changed)
}
