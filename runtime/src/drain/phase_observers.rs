//! Observers of the phase: notified on the control thread, even if no task of the user's runtime gets to run.

use crate::phase::Phase;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Observes the phases.
pub(crate) trait PhaseObserver: Send + Sync {
    /// A phase has begun. Called on the control thread: must not block, and must wake no task.
    fn observe(&self, phase: Phase);
}

/// The observers of a process. Each is dropped from the list once its owner has dropped it.
#[derive(Default)]
pub(crate) struct PhaseObservers(Mutex<Vec<Weak<dyn PhaseObserver>>>);

impl PhaseObservers {
    /// Notifies this observer of every phase that begins after this call.
    pub(crate) fn add(&self, observer: &Arc<impl PhaseObserver + 'static>) {
        self.lock().push(Arc::downgrade(observer) as Weak<dyn PhaseObserver>);
    }

    /// Notifies every observer that still exists.
    pub(crate) fn notify(&self, phase: Phase) {
        self.lock().retain(|observer| match observer.upgrade() {
            Some(observer) => {
                observer.observe(phase);
                true
            }
            None => false,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<dyn PhaseObserver>>> {
        // An observer that panics under this lock leaves the list whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

    struct Last(AtomicU8);

    impl PhaseObserver for Last {
        fn observe(&self, phase: Phase) {
            self.0.store(phase as u8, Relaxed);
        }
    }

    #[test]
    fn a_dropped_observer_leaves_the_list() {
        let (observers, kept) = (PhaseObservers::default(), Arc::new(Last(AtomicU8::new(0))));
        observers.add(&kept);
        observers.add(&Arc::new(Last(AtomicU8::new(0))));
        observers.notify(Phase::Grace);
        assert_eq!((kept.0.load(Relaxed), observers.lock().len()), (Phase::Grace as u8, 1));
    }
}
