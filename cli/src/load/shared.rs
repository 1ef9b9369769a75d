//! What all clients of a load share.

use super::{endpoint::Endpoint, fault::Fault, request::Mode, rotation::Rotation, schedule::Schedule};
use crate::report::{Log, Long, Outcome, Record};
use std::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// What all clients share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) schedule: Schedule,
    pub(crate) endpoint: Endpoint,
    /// Where new connections go. Once it is empty, load balancers have removed the program: connections stay, and no
    /// new one is opened.
    pub(crate) rotation: Rotation,
    /// A rolling restart, in which the rotation must not be empty.
    pub(crate) rolling: bool,
    /// The kinds of clients, in turn.
    pub(crate) modes: Vec<Mode>,
    pub(crate) limit: Duration,
    /// Requests that ended, and those that failed, for the live line.
    pub(crate) ended: AtomicU64,
    pub(crate) failed: AtomicU64,
}

impl Shared {
    /// Records a request that has ended just now.
    pub(super) fn record(
        &self,
        log: &RefCell<Log>,
        due: u64,
        late: Option<u64>,
        result: Result<Outcome, Fault>,
        long: Option<Long>,
    ) {
        let now = self.schedule.now();
        let mut log = log.borrow_mut();
        let outcome = result.unwrap_or_else(|Fault { outcome, error }| {
            log.add_error(outcome, now, error);
            outcome
        });
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(u64::from(outcome.is_failure()), Ordering::Relaxed);
        let short = |micros: u64| u32::try_from(micros).unwrap_or(u32::MAX);
        log.records.push(Record { due, late: late.map(short), latency: short(now.saturating_sub(due)), outcome, long });
    }
}
