//! When each request is due: an open loop, which does not slow down with the server.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// The shortest sleep. Requests due within it start together.
const STEP: Duration = Duration::from_micros(200);

/// A request that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// The intended send time.
    pub(crate) at: u64,
    /// Whether the request waited for a client: all connections were busy.
    pub(crate) queued: bool,
}

/// The shared clock of a load. Times are microseconds since its start.
#[derive(Debug)]
pub(crate) struct Schedule {
    start: Instant,
    /// Requests per second. At 0, none is due.
    rate: u32,
    /// Requests that are due and not taken by a client.
    due: Semaphore,
    released: AtomicU64,
    taken: AtomicU64,
    stopped: CancellationToken,
}

impl Schedule {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            start: Instant::now(),
            rate,
            due: Semaphore::new(0),
            released: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            stopped: CancellationToken::new(),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// Releases requests at their time until [`Schedule::stop`]. Blocks its thread: the timer of an async runtime
    /// has a precision of a millisecond.
    pub(crate) fn run(&self) {
        while self.rate > 0 && !self.is_stopped() {
            let released = self.released.load(Ordering::Relaxed);
            // The requests of the times up to and including now; the first is due at 0.
            let due = self.now() * u64::from(self.rate) / 1_000_000 + 1;
            if due > released {
                self.released.store(due, Ordering::Relaxed);
                self.due.add_permits((due - released) as usize);
            }
            let next = Duration::from_micros(self.time_of(due)).saturating_sub(self.start.elapsed());
            // A slow load still sees the stop soon.
            thread::sleep(next.clamp(STEP, Duration::from_millis(20)));
        }
    }

    /// Waits for the next due request. `None` after [`Schedule::stop`].
    pub(crate) async fn next(&self) -> Option<Due> {
        // The semaphore gives permits to waiting clients first: one that is left over means that all were busy.
        let queued = match self.due.try_acquire() {
            Ok(permit) => {
                permit.forget();
                true
            }
            Err(_) => {
                self.due.acquire().await.ok()?.forget();
                false
            }
        };
        Some(Due { at: self.time_of(self.taken.fetch_add(1, Ordering::Relaxed)), queued })
    }

    /// Ends the load: no further request is taken.
    pub(crate) fn stop(&self) {
        self.stopped.cancel();
        self.due.close();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.is_cancelled()
    }

    /// Waits for [`Schedule::stop`].
    pub(crate) async fn stopped(&self) {
        self.stopped.cancelled().await;
    }

    /// The intended send times of requests that no client has taken, except for those of the last 100 ms.
    pub(crate) fn untaken(&self) -> impl Iterator<Item = u64> {
        let end = self.now().saturating_sub(100_000);
        let (taken, released) = (self.taken.load(Ordering::Relaxed), self.released.load(Ordering::Relaxed));
        (taken..released).map(|number| self.time_of(number)).take_while(move |due| *due < end)
    }

    fn time_of(&self, number: u64) -> u64 {
        number * 1_000_000 / u64::from(self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn requests_are_due_at_equal_distances_and_never_early() {
        let schedule = Arc::new(Schedule::new(1000));
        let clock = thread::spawn({
            let schedule = schedule.clone();
            move || schedule.run()
        });
        for number in 0..50 {
            let due = schedule.next().await.unwrap();
            assert_eq!(due.at, number * 1000);
            assert!(schedule.now() >= due.at);
        }
        schedule.stop();
        clock.join().unwrap();
        assert_eq!(schedule.next().await, None);
    }

    #[test]
    fn requests_that_nobody_takes_are_found() {
        let schedule = Arc::new(Schedule::new(1000));
        let clock = thread::spawn({
            let schedule = schedule.clone();
            move || schedule.run()
        });
        while schedule.released.load(Ordering::Relaxed) < 200 {
            thread::sleep(Duration::from_millis(1));
        }
        schedule.stop();
        clock.join().unwrap();
        let untaken: Vec<_> = schedule.untaken().collect();
        assert!(untaken.len() >= 90 && untaken[1] == 1000, "{}", untaken.len());
    }
}
