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
    /// As it should be.
    Info,
    /// Worth a look; changes no exit code.
    Warn,
    /// Something was lost or cut short.
    Error,
}

/// One entry of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, counted from the start of the process's `main`.
    pub at: Duration,
    /// How serious it is.
    pub level: Level,
    /// What happened.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A phase began; the text says what that means now.
    Phase(Phase, String),
    /// `main` ended.
    Main(MainResult),
    /// A hook ended.
    Hook(HookReport),
    /// Something was still in flight at the drain deadline and was cut: its name and how many of it.
    Cut(String, usize),
    /// The drain is over: so much of what was in flight when it began has finished.
    Drained(usize),
    /// Everything has finished in the drain, and not at once: who was the last, and how long that took.
    Waited(String, Duration),
    /// A health check has changed its mind.
    Check(CheckState),
    /// Anything else that is worth a line.
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
            Self::Cut(name, 1) => write!(f, "CUT: {name} was still in flight when the drain was over"),
            Self::Cut(name, count) => write!(f, "CUT: {count} of {name} were still in flight when the drain was over"),
            Self::Drained(count) => write!(f, "{count} of what was in flight finished in the drain"),
            Self::Waited(name, took) => write!(f, "drained in {}, waited longest for {name}", Pretty(*took)),
            Self::Check(check) => write!(f, "{} check {} {}", check.on, check.name, check.status),
            Self::Note(note) => f.write_str(note),
        }
    }
}
