//! What the health checks have found: one row a check, written when it has run, read by probes.

use crate::report::check_state::{CheckState, CheckStatus, On};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The rows of all checks.
#[derive(Debug, Default)]
pub(crate) struct Board {
    rows: Vec<Row>,
    /// Sent to whenever the answer to a probe may have changed, for those who push it.
    news: watch::Sender<()>,
    /// The gRPC services whose health is readiness.
    #[cfg(feature = "tonic")]
    services: Mutex<std::collections::BTreeSet<String>>,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    on: On,
    /// How many failures in a row make it fail.
    failures: u32,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    status: CheckStatus,
    failed_in_a_row: u32,
}

impl Board {
    /// A board with these rows: name, probe, and how many failures in a row make it fail.
    pub(crate) fn new(rows: impl IntoIterator<Item = (&'static str, On, u32)>) -> Self {
        let known = || Known { status: CheckStatus::Pending("it has not run yet".into()), failed_in_a_row: 0 };
        let row = |(name, on, failures)| Row { name, on, failures, known: Mutex::new(known()) };
        Self { rows: rows.into_iter().map(row).collect(), ..Self::default() }
    }

    /// The check of this row waits for something.
    pub(crate) fn pending(&self, row: usize, why: String) {
        let mut known = lock(&self.rows[row]);
        if matches!(known.status, CheckStatus::Pending(_)) {
            known.status = CheckStatus::Pending(why);
        }
    }

    /// The check of this row has run; returns its new status if that has changed.
    pub(crate) fn record(&self, row: usize, result: Result<(), String>) -> Option<CheckState> {
        let Row { name, on, failures, .. } = self.rows[row];
        let mut known = lock(&self.rows[row]);
        let status = match result {
            Ok(()) => {
                known.failed_in_a_row = 0;
                CheckStatus::Ok
            }
            // Start-up happens once.
            Err(_) if on == On::Startup && known.status == CheckStatus::Ok => return None,
            Err(error) => {
                known.failed_in_a_row = known.failed_in_a_row.saturating_add(1);
                match &known.status {
                    // One that never passed has nothing to lose, and its error is worth showing.
                    CheckStatus::Pending(_) if known.failed_in_a_row < failures => {
                        known.status = CheckStatus::Pending(error);
                        return None;
                    }
                    CheckStatus::Ok if known.failed_in_a_row < failures => return None,
                    _ => CheckStatus::Failing(error),
                }
            }
        };
        let changed = status.name() != known.status.name();
        known.status = status.clone();
        drop(known);
        if changed {
            self.news.send_replace(());
        }
        changed.then_some(CheckState { name, on, status })
    }

    /// Every row of one probe.
    pub(crate) fn of(&self, on: On) -> Vec<CheckState> {
        let rows = self.rows.iter().filter(|row| row.on == on);
        rows.map(|row| CheckState { name: row.name, on, status: lock(row).status.clone() }).collect()
    }
}

#[cfg(feature = "tonic")]
impl Board {
    /// Hears when the answer to a probe may have changed.
    pub(crate) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Makes this a known gRPC service.
    pub(crate) fn name_service(&self, name: String) {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        self.news.send_replace(());
    }

    /// The gRPC services that were named, in the order of the alphabet.
    pub(crate) fn services(&self) -> Vec<String> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Whether this gRPC service was named.
    pub(crate) fn knows_service(&self, name: &str) -> bool {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

fn lock(row: &Row) -> MutexGuard<'_, Known> {
    row.known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(board: &Board, on: On) -> (&'static str, bool) {
        let state = board.of(on).pop().unwrap();
        (state.status.name(), state.allows())
    }

    #[test]
    fn a_check_fails_after_its_failures_in_a_row_and_passes_at_once() {
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
    fn what_is_not_known_to_be_dead_is_alive() {
        let board = Board::new([("loop", On::Liveness, 2)]);
        assert_eq!(status(&board, On::Liveness), ("pending", true));
        board.record(0, Err("stuck".into()));
        assert_eq!(status(&board, On::Liveness), ("pending", true));
        board.record(0, Err("stuck".into()));
        assert_eq!(status(&board, On::Liveness), ("failing", false));
    }
}
