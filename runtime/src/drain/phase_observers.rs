//! Who must know of a phase the moment it begins, even if no task of the runtime gets to run.

use crate::phase::Phase;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Follows the phases.
pub(crate) trait Follow: Send + Sync {
    /// A phase has begun. Called on the control thread: to be quick about it, and to wake nobody.
    fn follow(&self, phase: Phase);
}

/// Those who follow the phases, for as long as they live.
#[derive(Default)]
pub(crate) struct Followers(Mutex<Vec<Weak<dyn Follow>>>);

impl Followers {
    /// Lets it follow from now on.
    pub(crate) fn add(&self, follower: &Arc<impl Follow + 'static>) {
        self.lock().push(Arc::downgrade(follower) as Weak<dyn Follow>);
    }

    /// Tells everyone who is still there.
    pub(crate) fn tell(&self, phase: Phase) {
        self.lock().retain(|follower| match follower.upgrade() {
            Some(follower) => {
                follower.follow(phase);
                true
            }
            None => false,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<dyn Follow>>> {
        // Nothing that can panic runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

    struct Last(AtomicU8);

    impl Follow for Last {
        fn follow(&self, phase: Phase) {
            self.0.store(phase as u8, Relaxed);
        }
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let (followers, stays) = (Followers::default(), Arc::new(Last(AtomicU8::new(0))));
        followers.add(&stays);
        followers.add(&Arc::new(Last(AtomicU8::new(0))));
        followers.tell(Phase::Grace);
        assert_eq!((stays.0.load(Relaxed), followers.lock().len()), (Phase::Grace as u8, 1));
    }
}
