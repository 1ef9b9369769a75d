//! `std::time` and `tokio::time`, as far as the included files use them.

use real::sync::atomic::{AtomicU64, Ordering};
pub use real::time::Duration;

/// A moment. Each call of [`now`](Self::now) is a second after the one before, so every span of time is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(u64);

impl Instant {
    /// The next moment.
    pub fn now() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The time since an earlier moment.
    pub fn saturating_duration_since(&self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}
