//! What was observed of one run.

use crate::{
    cell::Times,
    clients::{Outcome, Request},
    fault::Fault,
    prober::Poll,
};
use std::{
    fmt,
    io::ErrorKind,
    ops::AddAssign,
    process::ExitStatus,
    time::{Duration, Instant},
};

/// How long a request that may end has for that, also on a busy machine.
const ENOUGH: Duration = Duration::from_millis(700);

/// How long the first hook may be held without any doubt that it ends in time: it has half of what is left.
const HOOKS_HELD: Duration = Duration::from_millis(200);

/// How the summary begins in the termination log.
pub(crate) const SUMMARY: &str = "shutdown after ";
/// How the summary begins on stderr.
pub(crate) const STDERR_SUMMARY: &str = "graceful: shutdown after ";

/// Everything that the harness saw of one shutdown.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) status: ExitStatus,
    /// When the first signal was sent.
    pub(crate) signalled: Instant,
    /// When the last request in flight was allowed to end.
    pub(crate) released: Instant,
    /// How long the first hook was held.
    pub(crate) hooks_held: Duration,
    /// When the app's descriptors were closed, as it ended. Its namespace may take longer to end.
    pub(crate) closed: Instant,
    /// When the exit was seen.
    pub(crate) exited: Instant,
    /// What the app told.
    pub(crate) events: Vec<String>,
    /// stderr, if it can be read.
    pub(crate) stderr: Option<String>,
    /// The termination log, if it can be read.
    pub(crate) termination_log: Option<String>,
    pub(crate) requests: Vec<Request>,
    pub(crate) polls: Vec<Poll>,
    /// Processes of the app's group after the exit.
    pub(crate) left: Vec<String>,
    /// Zombies among the app's children before the signal.
    pub(crate) zombies: Vec<String>,
    /// Faults that the app did not confirm in time.
    pub(crate) missed: Vec<Fault>,
}

impl Observed {
    /// The time from the first signal to the exit.
    pub(crate) fn took(&self) -> Duration {
        self.exited - self.signalled
    }

    /// Faults that the app did not confirm in time, so that the run shows nothing of them.
    pub(crate) fn missed(&self) -> &[Fault] {
        &self.missed
    }

    /// Whether what was in flight had too little of the drain, or the held hook of its time, to be sure to end.
    pub(crate) fn was_released_late(&self, times: &Times) -> bool {
        self.released + ENOUGH > self.signalled + times.grace + times.drain || self.hooks_held > HOOKS_HELD
    }

    /// The new connections that were reset at the end of the drain: those that come in the moment between the last
    /// `accept` and the close of the listener, which ARCHITECTURE.md names among the known gaps.
    pub(crate) fn resets_at_close(&self) -> impl Iterator<Item = &Request> {
        let is_reset = move |request: &&Request| {
            request.is_first
                && request.outcome == Outcome::Failed(ErrorKind::ConnectionReset)
                && !self.was_told(&format!("in {}.", request.number))
        };
        self.requests.iter().filter(is_reset)
    }

    /// What this run adds to the counts of a batch.
    pub(crate) fn counts(&self) -> Counts {
        let count = |is: fn(&Outcome) -> bool| self.requests.iter().filter(|request| is(&request.outcome)).count();
        Counts {
            answered: count(|outcome| matches!(outcome, Outcome::Answered(_))),
            refused: count(|outcome| matches!(outcome, Outcome::Refused(_))),
            failed: count(|outcome| matches!(outcome, Outcome::Failed(_))),
            resets: self.resets_at_close().count(),
            probes: self.polls.iter().filter(|poll| poll.status.is_ok()).count(),
        }
    }

    /// Whether the app told this.
    pub(crate) fn was_told(&self, event: &str) -> bool {
        self.events.iter().any(|told| told == event)
    }

    /// The summary of the shutdown, from the termination log or from stderr, if either can be read.
    pub(crate) fn summary(&self) -> Option<&str> {
        let of_stderr = || {
            let text = self.stderr.as_deref()?;
            // stderr has no timeline behind its summary.
            Some(&text[text.rfind(STDERR_SUMMARY)?..])
        };
        self.termination_log.as_deref().filter(|text| text.starts_with(SUMMARY)).or_else(of_stderr)
    }

    /// Everything, for a message.
    pub(crate) fn all(&self) -> String {
        let events: Vec<_> = self.events.iter().filter(|event| !event.starts_with("in ")).map(String::as_str).collect();
        let none = || "(not readable)".to_owned();
        format!(
            "{}, {:?} after the signal\n--- events\n{}\n--- stderr\n{}\n--- termination log\n{}\n---",
            self.status,
            self.took(),
            events.join("\n"),
            self.stderr.clone().unwrap_or_else(none),
            self.termination_log.clone().unwrap_or_else(none)
        )
    }
}

/// What is counted over many runs.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    answered: usize,
    refused: usize,
    failed: usize,
    resets: usize,
    probes: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.answered += other.answered;
        self.refused += other.refused;
        self.failed += other.failed;
        self.resets += other.resets;
        self.probes += other.probes;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, refused, failed, resets, probes } = self;
        write!(
            f,
            "{answered} requests answered, {refused} refused after grace, {failed} without a response (named as cut, by a "
        )?;
        write!(
            f,
            "panic, or on a connection that the drain closed), {resets} of them first requests that were reset; "
        )?;
        write!(f, "{probes} probes answered")
    }
}
