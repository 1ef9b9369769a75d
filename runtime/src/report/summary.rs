//! What happened: the timeline of a shutdown, as plain values that can be shown.

use crate::{
    cause::{Cause, Signal},
    checks::board::CheckState,
    phase::Phase,
};
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
    /// It had not returned when the drain was over.
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
    /// It was given up on after this limit.
    TimedOut {
        /// The time that it had.
        limit: Duration,
        /// Whether it had begun: if not, no thread of the runtime was free to run it.
        started: bool,
    },
    /// It did not run, for this reason.
    Skipped(String),
}

impl HookOutcome {
    /// The outcome in a word: `ok`, `failed`, `panicked`, `timed_out` or `skipped`.
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

/// Which hook this is, and where it stands in the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookName {
    /// The function's name, or the `name` key.
    pub name: Cow<'static, str>,
    /// The package that it stands in; `None` for one that was registered at run time.
    pub package: Option<&'static str>,
    /// The file that it stands in.
    pub file: &'static str,
    /// The line that it stands on.
    pub line: u32,
    /// The order that it runs in.
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

/// What one hook did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookReport {
    /// Which hook it was.
    pub hook: HookName,
    /// How it ended.
    pub outcome: HookOutcome,
    /// How long it took, from its start to its end or to the moment it was given up on.
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

/// How a whole run went, from start to exit.
///
/// `Display` shows the shutdown as a timeline, counted from its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The timeline, in the order of what happened.
    pub entries: Vec<Entry>,
    /// Why the shutdown began.
    pub cause: Option<Cause>,
    /// When it began, counted as [`Entry::at`] is.
    pub began: Duration,
    /// The signal that ended the process at once, if one did (the third SIGINT).
    pub forced_by: Option<Signal>,
}

impl Report {
    /// How `main` ended; `None` if it had not been heard of.
    pub fn main(&self) -> Option<&MainResult> {
        self.entries.iter().rev().find_map(|entry| match &entry.what {
            What::Main(result) => Some(result),
            _ => None,
        })
    }

    /// What each hook did, in the order in which they ended.
    pub fn hooks(&self) -> impl Iterator<Item = &HookReport> {
        self.entries.iter().filter_map(|entry| match &entry.what {
            What::Hook(hook) => Some(hook),
            _ => None,
        })
    }

    /// What the hook of this name did; `None` if there is none.
    pub fn hook(&self, name: &str) -> Option<&HookReport> {
        self.hooks().find(|report| report.hook.name == name)
    }

    /// Who the drain waited for longest, and how long that took from its beginning: `task reindex`,
    /// `connections on 0.0.0.0:3000`, or `main`.
    ///
    /// `None` if everything ended within a tenth of a second, and if something was cut: the
    /// [problems](Self::problems) name what.
    pub fn waited_for(&self) -> Option<(&str, Duration)> {
        self.entries.iter().find_map(|entry| match &entry.what {
            What::Waited(name, took) => Some((name.as_str(), *took)),
            _ => None,
        })
    }

    /// The phases that were entered, in order.
    pub fn phases(&self) -> impl Iterator<Item = Phase> + '_ {
        self.entries.iter().filter_map(|entry| match entry.what {
            What::Phase(phase, _) => Some(phase),
            _ => None,
        })
    }

    /// Everything that was lost or cut short.
    pub fn problems(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.level == Level::Error)
    }

    /// The summary, cut to `limit` bytes at a line's end, with the problems and who was waited for before the
    /// timeline: what fits into Kubernetes' termination message.
    pub fn summary(&self, limit: usize) -> String {
        let mut text = format!("{}\n", self.digest());
        if self.notable().next().is_some() {
            text += "timeline:\n";
        }
        text += &self.timeline();
        if text.len() > limit {
            let end = (0..=limit).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            text.truncate(text[..end].rfind('\n').map_or(end, |newline| newline + 1));
        }
        text
    }

    /// The headline, the problems and who was waited for, without the timeline.
    pub(crate) fn digest(&self) -> String {
        let notable = self.notable().map(|entry| format!("\n{}", Line(entry, self.began)));
        self.headline() + &notable.collect::<String>()
    }

    /// What a summary says before anything else.
    fn notable(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.level == Level::Error || matches!(entry.what, What::Waited(..)))
    }

    fn headline(&self) -> String {
        let cause = self.cause.as_ref().map_or_else(|| "nothing".to_owned(), Cause::to_string);
        let took = self.entries.last().map_or(Duration::ZERO, |last| last.at.saturating_sub(self.began));
        let verdict = match (self.forced_by, self.problems().count()) {
            (Some(signal), _) => format!("ended at once by {signal}"),
            (None, 0) => "everything finished in time".to_owned(),
            (None, 1) => "1 problem".to_owned(),
            (None, n) => format!("{n} problems"),
        };
        format!("shutdown after {cause}: {verdict}, {}, exit code {}", Pretty(took), self.exit_code())
    }

    fn timeline(&self) -> String {
        let shutdown = self.entries.iter().filter(|entry| entry.at >= self.began);
        shutdown.map(|entry| format!("{}\n", Line(entry, self.began))).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.headline(), self.timeline().trim_end())
    }
}

/// An entry as a line of the timeline, counted from the beginning of the shutdown.
struct Line<'a>(&'a Entry, Duration);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indent = if matches!(self.0.what, What::Phase(..)) { "" } else { "  " };
        // An error text of several lines stays one line of the timeline.
        let text = self.0.what.to_string().replace('\n', "\n              ");
        write!(f, "  {:>8.3}s  {indent}{text}", self.0.at.saturating_sub(self.1).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let entry = |millis, level, what| Entry { at: Duration::from_millis(millis), level, what };
        let hook = HookName { name: "flush".into(), package: Some("orders"), file: "src/main.rs", line: 7, order: 1 };
        let failed =
            HookReport { hook, outcome: HookOutcome::Failed("disk full".into()), took: Duration::from_millis(20) };
        Report {
            entries: vec![
                entry(100, Level::Info, What::Phase(Phase::Serving, String::new())),
                entry(1000, Level::Info, What::Phase(Phase::Grace, "5s".into())),
                entry(1020, Level::Error, What::Hook(failed)),
                entry(1030, Level::Info, What::Phase(Phase::Stopped, String::new())),
            ],
            cause: Some(Cause::Signal(Signal::Terminate)),
            began: Duration::from_millis(1000),
            forced_by: None,
        }
    }

    #[test]
    fn the_timeline_counts_from_the_signal() {
        assert_eq!(
            report().to_string(),
            "shutdown after SIGTERM: 1 problem, 30ms, exit code 3
     0.000s  grace: 5s
     0.020s    hook 1 flush (orders src/main.rs:7) FAILED: disk full, 20ms
     0.030s  stopped"
        );
    }

    #[test]
    fn who_was_waited_for_is_in_the_summary_and_in_the_timeline() {
        let mut report = report();
        assert_eq!(report.waited_for(), None);
        let took = Duration::from_millis(3200);
        let what = What::Waited("task reindex".into(), took);
        let at = report.began + took;
        report.entries = vec![Entry { at, level: Level::Info, what }];
        assert_eq!(report.waited_for(), Some(("task reindex", took)));
        assert_eq!(
            report.summary(1000),
            "shutdown after SIGTERM: everything finished in time, 3.2s, exit code 0
     3.200s    drained in 3.2s, waited longest for task reindex
timeline:
     3.200s    drained in 3.2s, waited longest for task reindex
"
        );
    }

    #[test]
    fn a_short_summary_keeps_the_problems() {
        for limit in 0..400 {
            assert!(report().summary(limit).len() <= limit);
        }
        let summary = report().summary(145);
        assert!(summary.contains("disk full") && !summary.contains("stopped"), "{summary}");
    }
}
