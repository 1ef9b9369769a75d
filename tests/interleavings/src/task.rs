//! `tokio::task`, as far as the included files use it.

use crate::sync::Arc;

/// Aborts a task. Here a closure: tokio drops an idle task inside of the call.
#[derive(Clone)]
pub struct AbortHandle(Arc<dyn Fn() + Send + Sync>);

impl AbortHandle {
    /// A handle that does this.
    pub fn new(abort: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(abort))
    }

    /// Aborts the task.
    pub fn abort(&self) {
        (self.0)();
    }
}

impl real::fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut real::fmt::Formatter<'_>) -> real::fmt::Result {
        f.write_str("AbortHandle")
    }
}
