//! How `main` and each hook ended.

use graceful_plan::duration::Pretty;
use std::{borrow::Cow, fmt, time::Duration};

/// How `main` ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MainResult {
    /// It returned, with this exit code (0 unless it returned an `ExitCode`).
    Returned(u8),
    /// It returned an error, shown as `Debug` shows it.
    Failed(String),
    /// It panicked, with this message.
    Panicked(String),
    /// It had not returned at the end of the drain.
    Cut,
}

/// How one hook ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HookOutcome {
    /// It finished.
    Finished,
    /// It returned an error, with this text.
    Failed(String),
    /// It panicked, with this message.
    Panicked(String),
    /// It had not ended at its time limit.
    TimedOut {
        /// Its time limit.
        limit: Duration,
        /// Whether it had started: if not, no thread of the runtime was free to run it.
        started: bool,
    },
    /// It did not run, or not to its end, for this reason.
    Skipped(String),
}

impl HookOutcome {
    /// The outcome as one word: `ok`, `failed`, `panicked`, `timed_out` or `skipped`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Finished => "ok",
            Self::Failed(_) => "failed",
            Self::Panicked(_) => "panicked",
            Self::TimedOut { .. } => "timed_out",
            Self::Skipped(_) => "skipped",
        }
    }
}

impl fmt::Display for HookOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("ok"),
            Self::Failed(error) => write!(f, "FAILED: {error}"),
            Self::Panicked(message) => write!(f, "PANICKED: {message}"),
            Self::TimedOut { limit, started: true } => write!(f, "TIMED OUT: still running after {}", Pretty(*limit)),
            Self::TimedOut { limit, started: false } => {
                write!(f, "TIMED OUT: no thread of the runtime was free to start it within {}", Pretty(*limit))
            }
            Self::Skipped(reason) => write!(f, "SKIPPED: {reason}"),
        }
    }
}

/// The name of a hook, and its place in the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookName {
    /// The function's name, or the `name` key.
    pub name: Cow<'static, str>,
    /// Its package; `None` for a hook that was registered at run time.
    pub package: Option<&'static str>,
    /// Its file.
    pub file: &'static str,
    /// Its line.
    pub line: u32,
    /// Its order.
    pub order: i32,
}

impl fmt::Display for HookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hook {} {} (", self.order, self.name)?;
        if let Some(package) = self.package {
            write!(f, "{package} ")?;
        }
        write!(f, "{}:{})", self.file, self.line)
    }
}

/// How one hook ended, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookReport {
    /// The hook.
    pub hook: HookName,
    /// How it ended.
    pub outcome: HookOutcome,
    /// How long it took, from its start to its end or to its time limit.
    pub took: Duration,
}

impl fmt::Display for HookReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            HookOutcome::Skipped(_) => write!(f, "{} {}", self.hook, self.outcome),
            outcome => write!(f, "{} {outcome}, {}", self.hook, Pretty(self.took)),
        }
    }
}
