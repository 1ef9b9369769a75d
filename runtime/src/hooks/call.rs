//! Calls a function of the user's on the user's runtime, under a limit that is kept elsewhere.

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

/// A call that has been handed to the user's runtime.
pub(crate) struct Call {
    /// `None` if the system refused a thread for it.
    task: Option<JoinHandle<Result<(), String>>>,
    started: Arc<AtomicBool>,
}

impl Call {
    /// Hands it over: an async function as a task, a sync one to the blocking pool.
    pub(crate) fn start(runtime: &Handle, run: HookRun) -> Self {
        let started = Arc::new(AtomicBool::new(false));
        let begins = started.clone();
        let task = match run {
            HookRun::Future(future) => Some(runtime.spawn(async move {
                begins.store(true, Ordering::Relaxed);
                future.await
            })),
            // tokio panics where the system gives no thread for the blocking pool (a container's limit of pids).
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

    /// Waits for its end, and gives up on it at the limit: an async one is cancelled then, a sync one goes on.
    pub(crate) async fn within(&mut self, limit: Duration) -> HookOutcome {
        let Some(task) = &mut self.task else {
            return HookOutcome::Failed("the system gave no thread to run it on".to_owned());
        };
        match timeout(limit, &mut *task).await {
            Ok(Ok(Ok(()))) => HookOutcome::Finished,
            Ok(Ok(Err(error))) => HookOutcome::Failed(error),
            Ok(Err(error)) => ended_badly(error),
            Err(_) => {
                task.abort();
                HookOutcome::TimedOut { limit, started: self.started.load(Ordering::Relaxed) }
            }
        }
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.task.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

fn ended_badly(error: JoinError) -> HookOutcome {
    match error.try_into_panic() {
        Ok(panic) => HookOutcome::Panicked(panic_message(&*panic)),
        Err(_) => HookOutcome::Failed("the runtime was shut down under it".into()),
    }
}

/// The text of a panic, as the default hook prints it.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a text".to_owned())
}
