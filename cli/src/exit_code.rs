//! The exit codes, in one table.

use std::process;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitCode {
    Passed = 0,
    Failed = 1,
    Usage = 2,
    Build = 3,
    Start = 4,
    Url = 5,
    Plan = 6,
    Io = 7,
    Input = 8,
    Kubernetes = 9,
    Interrupted = 130,
}

impl ExitCode {
    /// Every code with its meaning.
    pub(crate) const TABLE: [(Self, &str); 11] = [
        (Self::Passed, "the command succeeded; the rehearsal passed; `check` found no error and no warning"),
        (
            Self::Failed,
            "the rehearsal failed; `check` found an error or a warning; `manifest --fix` has not written its fixes",
        ),
        (
            Self::Usage,
            "wrong arguments, or no executable to choose; `init --write` would overwrite what git cannot restore",
        ),
        (Self::Build, "the build failed"),
        (Self::Start, "the program or a pod did not start, ended early, or was not ready in time"),
        (Self::Url, "the URL is in use by another process, or unusable: another protocol, a redirect, no 2xx in time"),
        (Self::Plan, "the program printed no plan, or one that can't be deployed"),
        (Self::Io, "a file could not be written, or the machine lacks a resource"),
        (Self::Input, "a manifest, a Dockerfile or a source file could not be read"),
        (Self::Kubernetes, "kubectl is missing, failed, was cut off, or lacks a right"),
        (Self::Interrupted, "interrupted by Ctrl-C or SIGTERM"),
    ];

    /// The table as text, for `--help`.
    pub(crate) fn help() -> String {
        let mut text = "Exit codes:".to_owned();
        for (code, meaning) in Self::TABLE {
            text += &format!("\n  {:>3}  {meaning}", code as u8);
        }
        text
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// Why a command ends without a result: one line, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: ExitCode,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_every_exit_code() {
        for (code, meaning) in ExitCode::TABLE {
            let row = format!("| {} | {meaning} |", code as u8);
            assert!(include_str!("../README.md").contains(&row), "cli/README.md lacks the row `{row}`");
        }
    }
}
