//! `std::sync` and `tokio::sync`, as far as the included files use them.

pub use crate::{notify::Notify, once_lock::OnceLock};
pub use loom::sync::{Mutex, MutexGuard};
pub use real::sync::{Arc, PoisonError, Weak};

/// `std::sync::atomic`.
pub mod atomic {
    pub use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
}
