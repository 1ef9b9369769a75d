//! Whether a server's task sweeps the connections for timeouts: without a client in the middle of a request there are no
//! sweeps, and no timer.
//!
//! A connection that begins to wait for its client stores that in its state, then calls
//! [`request`](SweepSchedule::request). The server's task calls [`begin_sweep`](SweepSchedule::begin_sweep), then reads
//! the states. Whatever the interleaving, that sweep sees the state, or the connection requests another sweep.

use std::sync::atomic::{
    AtomicBool,
    Ordering::{Relaxed, SeqCst},
    fence,
};
use tokio::sync::Notify;

/// The sweeps of one server. At first none is scheduled.
#[derive(Default)]
pub(crate) struct SweepSchedule {
    is_scheduled: AtomicBool,
    requested: Notify,
}

impl SweepSchedule {
    /// Requests sweeps, because a connection waits for its client. Does nothing if a sweep is scheduled, whose period a
    /// further request would begin again.
    pub(crate) fn request(&self) {
        // The connection's task stores the state, then loads `is_scheduled`; the server's task stores `is_scheduled`, then
        // loads the states. Without the two fences both could read old values, and nobody would sweep. The fences order
        // everything that matters, so the atomic itself is relaxed. `swap` lets one of several connections notify.
        fence(SeqCst);
        if !self.is_scheduled.load(Relaxed) && !self.is_scheduled.swap(true, Relaxed) {
            self.requested.notify_one();
        }
    }

    /// Resolves when sweeps are requested, or have been since the last call.
    pub(crate) async fn requested(&self) {
        self.requested.notified().await;
    }

    /// A sweep begins: what waits for a client once the states have been read requests another sweep.
    pub(crate) fn begin_sweep(&self) {
        self.is_scheduled.store(false, Relaxed);
        fence(SeqCst); // see `request`
    }

    /// Another sweep follows the one that has begun, so that connections need not request it.
    pub(crate) fn continue_sweeps(&self) {
        self.is_scheduled.store(true, Relaxed);
    }
}
