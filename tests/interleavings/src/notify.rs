//! A model of tokio's `Notify`, as far as the tracker uses it.

use crate::sync::{Mutex, MutexGuard, PoisonError};
use real::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// Wakes all that wait.
#[derive(Debug, Default)]
pub struct Notify(Mutex<Waiters>);

#[derive(Debug, Default)]
struct Waiters {
    /// How often all were notified.
    calls: usize,
    wakers: Vec<Waker>,
}

impl Notify {
    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when all are notified after this call: tokio guarantees it from the call on, not from the first poll.
    pub fn notified(&self) -> Notified<'_> {
        Notified { notify: self, calls: self.lock().calls }
    }

    /// Wakes all that wait.
    pub fn notify_waiters(&self) {
        let mut waiters = self.lock();
        waiters.calls += 1;
        let wakers = mem::take(&mut waiters.wakers);
        drop(waiters);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// The future of [`Notify::notified`].
#[derive(Debug)]
pub struct Notified<'a> {
    notify: &'a Notify,
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
        if waiters.calls != self.calls {
            return Poll::Ready(());
        }
        waiters.wakers.push(cx.waker().clone());
        Poll::Pending
    }
}
