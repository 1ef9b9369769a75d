//! The board: the last result of each health check, written by the runner and read by probes.

use crate::report::check_state::{CheckState, CheckStatus, On};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The rows of all checks.
#[derive(Debug, Default)]
pub(crate) struct Board {
    rows: Vec<Row>,
    /// Notified whenever the response to a probe may have changed, for gRPC Watch streams.
    changes: watch::Sender<()>,
    /// The gRPC services whose health is readiness.
    #[cfg(feature = "tonic")]
    services: Mutex<std::collections::BTreeSet<String>>,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    on: On,
    /// How many failures in a row make the check fail.
    failures: u32,
    result: Mutex<LastResult>,
}

#[derive(Debug)]
struct LastResult {
    status: CheckStatus,
    failures_in_a_row: u32,
}

impl Board {
    /// A board with these rows: name, probe, and how many failures in a row make it fail.
    pub(crate) fn new(rows: impl IntoIterator<Item = (&'static str, On, u32)>) -> Self {
        let result = || LastResult { status: CheckStatus::Pending("it has not run yet".into()), failures_in_a_row: 0 };
        let row = |(name, on, failures)| Row { name, on, failures, result: Mutex::new(result()) };
        Self { rows: rows.into_iter().map(row).collect(), ..Self::default() }
    }

    /// The check of this row cannot run yet, for this reason.
    pub(crate) fn pending(&self, row: usize, why: String) {
        let mut last = lock(&self.rows[row]);
        if matches!(last.status, CheckStatus::Pending(_)) {
            last.status = CheckStatus::Pending(why);
        }
    }

    /// Records a run of the check of this row; returns its state if the status has changed.
    pub(crate) fn record(&self, row: usize, result: Result<(), String>) -> Option<CheckState> {
        let Row { name, on, failures, .. } = self.rows[row];
        let mut last = lock(&self.rows[row]);
        let status = match result {
            Ok(()) => {
                last.failures_in_a_row = 0;
                CheckStatus::Ok
            }
            // A start-up check that has passed stays passed.
            Err(_) if on == On::Startup && last.status == CheckStatus::Ok => return None,
            Err(error) => {
                last.failures_in_a_row = last.failures_in_a_row.saturating_add(1);
                match &last.status {
                    // A check that has never passed is not ready either way; show its error at once.
                    CheckStatus::Pending(_) if last.failures_in_a_row < failures => {
                        last.status = CheckStatus::Pending(error);
                        return None;
                    }
                    CheckStatus::Ok if last.failures_in_a_row < failures => return None,
                    _ => CheckStatus::Failing(error),
                }
            }
        };
        let changed = status.name() != last.status.name();
        last.status = status.clone();
        drop(last);
        if changed {
            self.changes.send_replace(());
        }
        changed.then_some(CheckState { name, on, status })
    }

    /// The state of every check of one probe.
    pub(crate) fn of(&self, on: On) -> Vec<CheckState> {
        let rows = self.rows.iter().filter(|row| row.on == on);
        rows.map(|row| CheckState { name: row.name, on, status: lock(row).status.clone() }).collect()
    }
}

#[cfg(feature = "tonic")]
impl Board {
    /// Notifies when the response to a probe may have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Adds a gRPC service, whose health is readiness.
    pub(crate) fn add_service(&self, name: String) {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        self.changes.send_replace(());
    }

    /// The names of the gRPC services, in alphabetical order.
    pub(crate) fn services(&self) -> Vec<String> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Whether there is a gRPC service of this name.
    pub(crate) fn has_service(&self, name: &str) -> bool {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

fn lock(row: &Row) -> MutexGuard<'_, LastResult> {
    row.result.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(board: &Board, on: On) -> (&'static str, bool) {
        let state = board.of(on).pop().unwrap();
        (state.status.name(), state.allows())
    }

    #[test]
    fn a_check_fails_after_enough_failures_in_a_row_and_passes_at_once() {
        let board = Board::new([("db", On::Readiness, 3)]);
        assert_eq!(status(&board, On::Readiness), ("pending", false));
        assert_eq!(board.record(0, Ok(())).unwrap().status, CheckStatus::Ok);
        assert!(board.record(0, Ok(())).is_none());
        for _ in 0..2 {
            assert!(board.record(0, Err("refused".into())).is_none());
            assert_eq!(status(&board, On::Readiness), ("ok", true));
        }
        assert_eq!(board.record(0, Err("refused".into())).unwrap().status, CheckStatus::Failing("refused".into()));
        assert!(board.record(0, Err("refused".into())).is_none());
        assert_eq!(status(&board, On::Readiness), ("failing", false));
        assert!(board.record(0, Ok(())).is_some());
        assert_eq!(status(&board, On::Readiness), ("ok", true));
    }

    #[test]
    fn a_startup_check_that_has_passed_stays_passed() {
        let board = Board::new([("cache", On::Startup, 1)]);
        board.record(0, Ok(()));
        board.record(0, Err("gone".into()));
        assert_eq!(status(&board, On::Startup), ("ok", true));
    }

    #[test]
    fn a_pending_liveness_check_does_not_fail_its_probe() {
        let board = Board::new([("loop", On::Liveness, 2)]);
        assert_eq!(status(&board, On::Liveness), ("pending", true));
        board.record(0, Err("stuck".into()));
        assert_eq!(status(&board, On::Liveness), ("pending", true));
        board.record(0, Err("stuck".into()));
        assert_eq!(status(&board, On::Liveness), ("failing", false));
    }
}
