//! Runs many cells, several at a time, and counts.

use crate::{cell::Cell, invariants::violations, observed::Counts, run::run, surroundings::why_skipped};
use graceful_tests::pulse::{ATTEMPTS, Pulse};
use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// A thread is late by more than this only on a machine that is stuck: the log of a process has 250 ms to write the
/// summary, the shortest time that an invariant depends on.
const LATE: Duration = Duration::from_millis(200);

/// A cell, and how to run it again.
pub struct Job {
    /// The cell.
    pub cell: Cell,
    /// The arguments that run it alone.
    pub again: String,
}

impl Job {
    /// The job of a cell of the matrix.
    pub fn of_matrix(cell: Cell) -> Self {
        let faults: Vec<_> = cell.faults.iter().map(|fault| fault.name()).collect();
        let again = format!("--cell {} {} {}", cell.moment, faults.join("+"), cell.runtime.name());
        Self { cell, again }
    }
}

/// How a cell went.
enum Result {
    /// Everything holds; whether every fault was confirmed, and what was counted.
    Passed {
        confirmed: bool,
        counts: Counts,
    },
    Skipped(&'static str),
    /// Something does not hold, but the machine was stuck each time.
    NotJudged,
    /// What does not hold, and everything that was observed.
    Failed(String),
}

/// The results of a batch.
#[derive(Default)]
pub struct Results {
    passed: usize,
    /// Passed, but a fault was not confirmed.
    unconfirmed: Vec<String>,
    counts: Counts,
    skipped: BTreeMap<&'static str, usize>,
    /// The machine was stuck in each attempt.
    not_judged: Vec<String>,
    failed: Vec<String>,
    took: Duration,
}

impl Results {
    /// Whether no cell failed, and each was judged unless the system cannot commit its faults.
    pub fn is_success(&self) -> bool {
        self.failed.is_empty() && self.not_judged.is_empty()
    }

    /// How many cells passed.
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// How many of those passed without the confirmation of a fault.
    pub fn unconfirmed(&self) -> usize {
        self.unconfirmed.len()
    }

    /// The failed cells, each with what does not hold.
    pub fn failures(&self) -> &[String] {
        &self.failed
    }

    /// Counts a result. Returns the text of a failure.
    fn add(&mut self, job: &Job, result: Result) -> Option<&str> {
        match result {
            Result::Passed { confirmed, counts } => {
                self.counts += counts;
                self.passed += 1;
                if !confirmed {
                    self.unconfirmed.push(job.again.clone());
                }
            }
            Result::NotJudged => self.not_judged.push(job.again.clone()),
            Result::Skipped(why) => *self.skipped.entry(why).or_default() += 1,
            Result::Failed(why) => {
                self.failed.push(format!("{}\n  {}\n{why}", job.again, job.cell));
                return self.failed.last().map(String::as_str);
            }
        }
        None
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, unconfirmed, not_judged, took, .. } = self;
        let (failed, unconfirmed, not_judged) = (failed.len(), unconfirmed.len(), not_judged.len());
        let skipped: usize = self.skipped.values().sum();
        write!(f, "{passed} passed ({unconfirmed} of them without the confirmation of a fault), {failed} failed, ")?;
        write!(f, "{not_judged} not judged, {skipped} skipped in {took:.0?}")?;
        for (why, count) in &self.skipped {
            write!(f, "\n{count} skipped: {why}")?;
        }
        write!(f, "\nof those that passed: {}", self.counts)?;
        if !self.not_judged.is_empty() {
            let list = self.not_judged.join(", ");
            write!(f, "\nnot judged, because the machine was stuck in each of {ATTEMPTS} attempts: {list}")?;
        }
        if !self.unconfirmed.is_empty() {
            write!(f, "\npassed without the confirmation of a fault:")?;
            self.unconfirmed.iter().take(20).try_for_each(|again| write!(f, "\n  {again}"))?;
        }
        Ok(())
    }
}

/// Runs the cells, this many at a time, and calls `failed` with each failure as it happens.
pub fn run_all(jobs: &[Job], executable: &Path, at_a_time: usize, failed: impl Fn(&str) + Sync) -> Results {
    let (begun, next, results) = (Instant::now(), AtomicUsize::new(0), Mutex::new(Results::default()));
    let (pulse, running) = (Pulse::new(LATE), AtomicUsize::new(at_a_time));
    thread::scope(|scope| {
        scope.spawn(|| pulse.measure());
        for _ in 0..at_a_time {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = judge(&job.cell, executable, &pulse);
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(failure) = results.add(job, result) {
                        failed(failure);
                    }
                }
                if running.fetch_sub(1, Ordering::Relaxed) == 1 {
                    pulse.stop();
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.took = begun.elapsed();
    results
}

/// Runs a cell, and again if something does not hold while the machine was stuck.
fn judge(cell: &Cell, executable: &Path, pulse: &Pulse) -> Result {
    for _ in 0..ATTEMPTS {
        let begun = Instant::now();
        let result = run_one(cell, executable);
        if !matches!(result, Result::Failed(_)) || !pulse.was_late_since(begun) {
            return result;
        }
    }
    Result::NotJudged
}

fn run_one(cell: &Cell, executable: &Path) -> Result {
    if let Some(why) = why_skipped(cell) {
        return Result::Skipped(why);
    }
    let observed = match catch_unwind(AssertUnwindSafe(|| run(cell, executable))) {
        Ok(Ok(observed)) => observed,
        Ok(Err(error)) => return Result::Failed(format!("  not run: {error}")),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map_or("a panic of the harness", String::as_str);
            return Result::Failed(format!("  not observed: {text}"));
        }
    };
    let violations = violations(cell, &observed);
    if violations.is_empty() {
        return Result::Passed { confirmed: observed.missed().is_empty(), counts: observed.counts() };
    }
    let list: String = violations.iter().map(|violation| format!("  - {violation}\n")).collect();
    Result::Failed(format!("{list}{}", observed.all()))
}
