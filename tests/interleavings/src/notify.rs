//! A model of tokio's `Notify`, as far as the included files use it.

use crate::sync::{Mutex, MutexGuard, PoisonError};
use real::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// Wakes one that waits, or all.
#[derive(Debug, Default)]
pub struct Notify(Mutex<Waiters>);

#[derive(Debug, Default)]
struct Waiters {
    /// How often all were notified.
    calls: usize,
    /// Whether the next that waits is notified already.
    permit: bool,
    next: usize,
    /// In the order in which they began to wait.
    waiting: Vec<(usize, Waker)>,
    /// Those that one notification each was for.
    notified: Vec<usize>,
}

impl Notify {
    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when one is notified and this one is the first that waits, or when all are notified after this call:
    /// tokio guarantees the latter from the call on, not from the first poll.
    pub fn notified(&self) -> Notified<'_> {
        let mut waiters = self.lock();
        waiters.next += 1;
        Notified { notify: self, number: waiters.next, calls: waiters.calls, waits: false }
    }

    /// Wakes the first that waits. If none does, the next one does not wait; a second call changes nothing then.
    pub fn notify_one(&self) {
        let mut waiters = self.lock();
        if waiters.waiting.is_empty() {
            waiters.permit = true;
            return;
        }
        let (number, waker) = waiters.waiting.remove(0);
        waiters.notified.push(number);
        drop(waiters);
        waker.wake();
    }

    /// Wakes all that wait.
    pub fn notify_waiters(&self) {
        let mut waiters = self.lock();
        waiters.calls += 1;
        let waiting = mem::take(&mut waiters.waiting);
        drop(waiters);
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

/// The future of [`Notify::notified`].
#[derive(Debug)]
pub struct Notified<'a> {
    notify: &'a Notify,
    number: usize,
    calls: usize,
    /// Whether it has been polled and has not resolved.
    waits: bool,
}

impl Notified<'_> {
    /// Whether all were notified since the future was made.
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.notify.lock().calls != self.calls
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiters = self.notify.lock();
        let is_notified = waiters.calls != self.calls || waiters.notified.contains(&self.number);
        if is_notified || (!self.waits && mem::take(&mut waiters.permit)) {
            drop(waiters);
            self.waits = false;
            return Poll::Ready(());
        }
        match waiters.waiting.iter_mut().find(|(number, _)| *number == self.number) {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => waiters.waiting.push((self.number, cx.waker().clone())),
        }
        drop(waiters);
        self.waits = true;
        Poll::Pending
    }
}

/// A future that is dropped while it waits leaves its notification to the next.
impl Drop for Notified<'_> {
    fn drop(&mut self) {
        // A model that fails unwinds: a second panic would hide the first.
        if self.waits && !real::thread::panicking() {
            let mut waiters = self.notify.lock();
            waiters.waiting.retain(|(number, _)| *number != self.number);
            let is_notified = waiters.notified.contains(&self.number);
            drop(waiters);
            if is_notified {
                self.notify.notify_one();
            }
        }
    }
}
