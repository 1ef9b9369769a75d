//! The report of a whole run: its timeline, and the summary that is made of it.

use super::{
    outcome::{HookReport, MainResult},
    page::{Page, escaped},
    timeline::{Entry, Level, What},
};
use crate::{
    cause::{Cause, Signal},
    phase::Phase,
};
use graceful_plan::duration::Pretty;
use std::{fmt, time::Duration};

/// The longest line of a summary in bytes.
const LONGEST_LINE: usize = 1000;
/// The longest line of the timeline in a summary: it repeats the problems.
const TIMELINE_LINE: usize = 120;
/// A problem is not shortened below this: the name of a hook and its place in the code.
const SHORTEST_LINE: usize = 120;

/// How a whole run went, from start to exit.
///
/// `Display` shows the shutdown as a timeline, counted from its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The timeline, in the order in which it happened.
    pub entries: Vec<Entry>,
    /// Why the shutdown began.
    pub cause: Option<Cause>,
    /// When the shutdown began, on the clock of [`Entry::at`].
    pub began: Duration,
    /// The signal that ended the process at once, if one did (the third SIGINT).
    pub forced_by: Option<Signal>,
}

impl Report {
    /// How `main` ended; `None` if that was not reported.
    pub fn main(&self) -> Option<&MainResult> {
        self.entries.iter().rev().find_map(|entry| match &entry.what {
            What::Main(result) => Some(result),
            _ => None,
        })
    }

    /// The report of each hook, in the order in which they ended.
    pub fn hooks(&self) -> impl Iterator<Item = &HookReport> {
        self.entries.iter().filter_map(|entry| match &entry.what {
            What::Hook(hook) => Some(hook),
            _ => None,
        })
    }

    /// The report of the hook with this name; `None` if no such hook ran.
    pub fn hook(&self, name: &str) -> Option<&HookReport> {
        self.hooks().find(|report| report.hook.name == name)
    }

    /// The name of the last to end in the drain, and how long the drain waited for it: `task reindex`,
    /// `connections on 0.0.0.0:3000`, or `main`.
    ///
    /// `None` if everything ended within 100 ms, and if something was cut: then the [problems](Self::problems) name
    /// what was cut.
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

    /// The entries of level [`Error`](Level::Error): everything that was lost or cut short.
    pub fn problems(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.level == Level::Error)
    }

    /// The summary, for Kubernetes' termination message: the headline, the problems and the longest wait, then the
    /// timeline.
    ///
    /// At most `limit` bytes: long lines are shortened so that more problems fit, each to 120 bytes at least, and the lines
    /// that do not fit are omitted from the end. Control characters are escaped.
    pub fn summary(&self, limit: usize) -> String {
        let mut page = Page::new(limit);
        page.add(&self.headline(), LONGEST_LINE);
        let notable: Vec<_> = self.notable().map(|entry| Line(entry, self.began).to_string()).collect();
        // A quarter of the page is left for the timeline.
        let timeline = limit / 4;
        for (number, line) in notable.iter().enumerate() {
            let share = page.room().saturating_sub(timeline) / (notable.len() - number);
            page.add(line, share.saturating_sub(1).clamp(SHORTEST_LINE, LONGEST_LINE));
        }
        if !notable.is_empty() {
            page.add("timeline:", LONGEST_LINE);
        }
        for line in self.timeline() {
            page.add(&line, TIMELINE_LINE);
        }
        page.text()
    }

    /// The headline, the problems and the longest wait, without the timeline.
    pub(crate) fn digest(&self) -> String {
        let notable = self.notable().map(|entry| format!("\n{}", Line(entry, self.began)));
        self.headline() + &notable.collect::<String>()
    }

    /// The entries that a summary repeats above the timeline.
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
        escaped(&format!("shutdown after {cause}: {verdict}, {}, exit code {}", Pretty(took), self.exit_code()))
    }

    fn timeline(&self) -> impl Iterator<Item = String> + '_ {
        let shutdown = self.entries.iter().filter(|entry| entry.at >= self.began);
        shutdown.map(|entry| Line(entry, self.began).to_string())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        self.timeline().try_for_each(|line| write!(f, "\n{line}"))
    }
}

/// An entry as a line of the timeline, with the time since the shutdown began.
struct Line<'a>(&'a Entry, Duration);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indent = if matches!(self.0.what, What::Phase(..)) { "" } else { "  " };
        // Further lines of an error are indented, so that they stay part of this line of the timeline.
        let text = escaped(&self.0.what.to_string()).replace('\n', "\n              ");
        write!(f, "  {:>8.3}s  {indent}{text}", self.0.at.saturating_sub(self.1).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::outcome::{HookName, HookOutcome};

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
    fn the_longest_wait_is_in_the_summary_and_in_the_timeline() {
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
    fn long_errors_are_shortened_and_every_problem_is_named() {
        let mut report = report();
        for order in 2..=5 {
            let mut entry = report.entries[2].clone();
            let What::Hook(hook) = &mut entry.what else { unreachable!("the third entry is a hook") };
            hook.hook.order = order;
            hook.hook.name = format!("hook_{order}").into();
            hook.outcome = HookOutcome::Failed(format!("\u{1b}[31m{}", "long ".repeat(1000)));
            report.entries.insert(3, entry);
        }
        let summary = report.summary(4096);
        assert!(summary.len() <= 4096 && summary.starts_with("shutdown after SIGTERM: 5 problems"), "{summary}");
        let (problems, timeline) = summary.split_once("timeline:\n").unwrap();
        for part in [problems, timeline] {
            for name in ["flush", "hook_2", "hook_3", "hook_4", "hook_5"] {
                assert!(part.contains(name), "{name}: {summary}");
            }
        }
        assert!(summary.contains("\\u{1b}[31mlong") && !summary.contains('\u{1b}') && timeline.contains("stopped"));
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
