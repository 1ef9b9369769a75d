//! The timeline: what happened, when, and how serious it is.

use super::{
    check_state::CheckState,
    outcome::{HookReport, MainResult},
};
use crate::phase::Phase;
use graceful_plan::duration::Pretty;
use std::{fmt, time::Duration};

/// How serious an entry of the timeline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Normal operation.
    Info,
    /// Worth a look; does not change the exit code.
    Warn,
    /// Something was lost or cut short.
    Error,
}

/// One entry of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The time since the start of the process.
    pub at: Duration,
    /// How serious it is.
    pub level: Level,
    /// What happened.
    pub what: What,
}

/// What an entry reports.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A phase began; the text says what that means for this process.
    Phase(Phase, String),
    /// `main` ended.
    Main(MainResult),
    /// A hook ended.
    Hook(HookReport),
    /// Tasks or connections were still in flight at the drain deadline and were cut: their name and number.
    Cut(String, usize),
    /// The drain is over: how many of the requests, connections and tasks in flight when it began have finished.
    Drained(usize),
    /// Everything finished in the drain, but not at once: the name of the last to end, and when that was.
    Waited(String, Duration),
    /// The status of a health check changed.
    Check(CheckState),
    /// Anything else worth a line.
    Note(String),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phase(phase, detail) if detail.is_empty() => phase.fmt(f),
            Self::Phase(phase, detail) => write!(f, "{phase}: {detail}"),
            Self::Main(MainResult::Returned(0)) => f.write_str("main returned"),
            Self::Main(MainResult::Returned(code)) => write!(f, "main returned exit code {code}"),
            Self::Main(MainResult::Failed(error)) => write!(f, "main FAILED: {error}"),
            Self::Main(MainResult::Panicked(message)) => write!(f, "main PANICKED: {message}"),
            Self::Main(MainResult::Cut) => f.write_str("main CUT: it had not returned when the drain was over"),
            Self::Hook(hook) => hook.fmt(f),
            Self::Cut(name, 1) => write!(f, "CUT: {name}, still in flight when the drain was over"),
            Self::Cut(name, count) => write!(f, "CUT: {name} ({count}), still in flight when the drain was over"),
            Self::Drained(count) => write!(f, "{count} in flight finished in the drain"),
            Self::Waited(name, took) => write!(f, "drained in {}, waited longest for {name}", Pretty(*took)),
            Self::Check(check) => write!(f, "{} check {} {}", check.on, check.name, check.status),
            Self::Note(note) => f.write_str(note),
        }
    }
}
