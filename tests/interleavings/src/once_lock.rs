//! A model of `std::sync::OnceLock`: what was set is visible to whoever sees that it is set.

use crate::sync::atomic::{AtomicBool, Ordering};

/// A cell that is set once.
#[derive(Debug)]
pub struct OnceLock<T> {
    value: real::sync::OnceLock<T>,
    is_set: AtomicBool,
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self { value: real::sync::OnceLock::new(), is_set: AtomicBool::new(false) }
    }
}

impl<T> OnceLock<T> {
    /// The value, once it is set.
    pub fn get(&self) -> Option<&T> {
        if self.is_set.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    /// Sets the value.
    ///
    /// # Errors
    /// The cell is set already.
    pub fn set(&self, value: T) -> Result<(), T> {
        self.value.set(value)?;
        self.is_set.store(true, Ordering::Release);
        Ok(())
    }
}
