//! Calls a user's function on the user's runtime, with a timeout that runs on the control thread.

use crate::{hooks::descriptor::HookRun, report::outcome::HookOutcome};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::Handle,
    task::{JoinError, JoinHandle},
    time::timeout,
};

/// A call that was handed to the user's runtime.
pub(crate) struct Call {
    /// `None` if the system refused a thread for it.
    task: Option<JoinHandle<Result<(), String>>>,
    started: Arc<AtomicBool>,
}

impl Call {
    /// Starts the call: an async function as a task, a sync function on the blocking pool.
    pub(crate) fn start(runtime: &Handle, run: HookRun) -> Self {
        let started = Arc::new(AtomicBool::new(false));
        let begins = started.clone();
        let task = match run {
            HookRun::Future(future) => Some(runtime.spawn(async move {
                begins.store(true, Ordering::Relaxed);
                future.await
            })),
            // tokio panics if the system refuses a thread for the blocking pool (a container's pid limit).
            HookRun::Blocking(call) => catch_unwind(AssertUnwindSafe(|| {
                runtime.spawn_blocking(move || {
                    begins.store(true, Ordering::Relaxed);
                    call()
                })
            }))
            .ok(),
        };
        Self { task, started }
    }

    /// Waits for the call to end, up to `limit`. Then an async function is cancelled; a sync function keeps running.
    pub(crate) async fn within(&mut self, limit: Duration) -> HookOutcome {
        let Some(task) = &mut self.task else {
            return HookOutcome::Failed("the system gave no thread to run it on".to_owned());
        };
        match timeout(limit, &mut *task).await {
            Ok(Ok(Ok(()))) => HookOutcome::Finished,
            Ok(Ok(Err(error))) => HookOutcome::Failed(error),
            Ok(Err(error)) => join_error(error),
            Err(_) => {
                task.abort();
                HookOutcome::TimedOut { limit, started: self.started.load(Ordering::Relaxed) }
            }
        }
    }

    /// Whether the call has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.task.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

fn join_error(error: JoinError) -> HookOutcome {
    match error.try_into_panic() {
        Ok(panic) => HookOutcome::Panicked(panic_message(&*panic)),
        Err(_) => HookOutcome::Failed("the runtime was shut down under it".into()),
    }
}

/// The message of a panic, as the default panic hook prints it.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a text".to_owned())
}
