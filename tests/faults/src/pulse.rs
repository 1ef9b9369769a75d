//! Measures whether the machine runs the harness in time: on a machine that does not, a late process proves nothing.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The length of a sleep.
const BEAT: Duration = Duration::from_millis(20);

/// How late the sleeps of one thread end.
#[derive(Default)]
pub(crate) struct Pulse {
    stopped: AtomicBool,
    /// The ends of late sleeps, each with its lateness.
    late: Mutex<Vec<(Instant, Duration)>>,
}

impl Pulse {
    /// A thread is late by more than this only on a machine that is stuck: the log of a process has 250 ms to write the
    /// summary, the shortest time that an invariant depends on.
    pub(crate) const LIMIT: Duration = Duration::from_millis(200);

    /// Measures until [`stop`](Self::stop).
    pub(crate) fn measure(&self) {
        while !self.stopped.load(Ordering::Relaxed) {
            let begun = Instant::now();
            thread::sleep(BEAT);
            let late = begun.elapsed().saturating_sub(BEAT);
            if late > Self::LIMIT {
                self.late.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), late));
            }
        }
    }

    /// Ends the measurement.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// The longest lateness above the limit since this moment, if there was one.
    pub(crate) fn worst_since(&self, moment: Instant) -> Option<Duration> {
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.iter().filter(|(ended, _)| *ended >= moment).map(|(_, late)| *late).max()
    }
}
