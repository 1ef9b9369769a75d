//! A model of tokio's `Notify`, as far as the included files use it.
//!
//! A future that waits is polled until it resolves: none is dropped while it waits.

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
        Notified { notify: self, number: waiters.next, calls: waiters.calls }
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
}

impl Notified<'_> {
    /// Whether all were notified since the future was made.
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.notify.lock().calls != self.calls
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiters = self.notify.lock();
        if waiters.calls != self.calls || waiters.notified.contains(&self.number) {
            return Poll::Ready(());
        }
        if let Some((_, waker)) = waiters.waiting.iter_mut().find(|(number, _)| *number == self.number) {
            waker.clone_from(cx.waker());
        } else if mem::take(&mut waiters.permit) {
            return Poll::Ready(());
        } else {
            waiters.waiting.push((self.number, cx.waker().clone()));
        }
        Poll::Pending
    }
}
