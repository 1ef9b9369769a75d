//! The number of a server's open connections, and the wake-ups of the server's task when one ends.
//!
//! A connection wakes the task only where the task waits for it: waking it for each of thousands costs more than ending
//! them. Only the server's task calls [`try_enter`](OpenConnections::try_enter), and it alone waits, for one thing at a
//! time. So it never waits for a wake-up that another waiter gets.

use crate::drain::tracker::Group;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::sync::Notify;

/// The open connections of one server.
pub(crate) struct OpenConnections {
    group: Group,
    limit: usize,
    ended: Notify,
    /// Whether accepting pauses for lack of file descriptors.
    starved: AtomicBool,
}

impl OpenConnections {
    /// No connections yet, as members of this group; at most `limit` are meant to be open.
    pub(crate) fn new(group: Group, limit: usize) -> Self {
        Self { group, limit, ended: Notify::default(), starved: AtomicBool::default() }
    }

    /// The name of the connections.
    pub(crate) fn name(&self) -> &str {
        self.group.name()
    }

    /// Adds a connection, unless the connections are being cut, and the report with their number is made.
    pub(crate) fn try_enter(&self) -> bool {
        self.group.try_enter()
    }

    /// Removes a connection, and wakes the server's task if it may wait for that.
    pub(crate) fn leave(&self) {
        // The count falls before the wake-up: a task that is woken, or finds the permit, sees the new count. A task that
        // reads the old count waits after that, and finds the permit.
        let remaining = self.group.leave();
        // `starved` needs no ordering: an end that misses the beginning of a pause is made up for by the end of the pause.
        if remaining == 0 || remaining + 1 >= self.limit || self.starved.load(Relaxed) {
            self.ended.notify_one();
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.group.count()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.count() < self.limit
    }

    /// Sets whether accepting pauses for lack of file descriptors, so that the end of any connection matters.
    pub(crate) fn set_starved(&self, starved: bool) {
        self.starved.store(starved, Relaxed);
    }

    pub(crate) fn is_starved(&self) -> bool {
        self.starved.load(Relaxed)
    }

    /// Resolves when a connection ends that the server waits for, or has ended since the last call:
    ///
    /// - the last connection;
    /// - a connection that makes room under the limit of connections;
    /// - any connection, while accepting pauses. One that ends as the pause begins may be missed.
    pub(crate) async fn ended(&self) {
        self.ended.notified().await;
    }

    /// Waits until there is no connection. Everything that a connection's task did before
    /// [`leave`](Self::leave) happens before this returns. Cancel safe.
    pub(crate) async fn emptied(&self) {
        while self.count() > 0 {
            self.ended().await;
        }
    }
}
