//! Supervised tasks: restarted, logged or fatal when they fail.

use crate::{cause::Cause, context::Context, hooks::call, phase::Phase, report::timeline::Level, shared::Request};
use graceful_plan::duration::Pretty;
use std::{fmt, future::Future, time::Duration};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep},
};

/// What happens when a [supervised](Context::supervise) task fails: returns an error, or panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFailure {
    /// The process shuts down, with its grace period; the report names the task, and the exit code is 3.
    Shutdown,
    /// The failure is logged, and the process continues without the task.
    Log,
    /// The task is restarted after a pause: `first`, doubled at each further failure in a row, up to `longest`.
    /// After a run of at least `longest`, the pause is `first` again.
    Restart {
        /// The first pause.
        first: Duration,
        /// The longest pause.
        longest: Duration,
    },
}

/// Prevents a restart in a hot loop.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

impl OnFailure {
    /// [`Restart`](Self::Restart) with pauses from 100 ms to 30 s.
    pub const RESTART: Self = Self::Restart { first: Duration::from_millis(100), longest: Duration::from_secs(30) };
}

/// What a [supervised](Context::supervise) task may return: `()`, or a `Result<(), E>` whose error can be displayed.
#[diagnostic::on_unimplemented(
    message = "a supervised task cannot return a `{Self}`",
    label = "this task's future returns something else",
    note = "the future of a supervised task ends with `()`, or with `Result<(), E>` where `E: Display`",
    note = "one that loops for ever would be cut at every drain deadline: leave the loop when `ctx.draining()` resolves"
)]
pub trait TaskReturn {
    /// The outcome, with the error's text.
    ///
    /// # Errors
    /// The task failed.
    fn into_result(self) -> Result<(), String>;
}

impl TaskReturn for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: fmt::Display> TaskReturn for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        self.map_err(|error| format!("{error:#}"))
    }
}

impl Context {
    /// Runs a task that the drain waits for, as [`spawn`](Self::spawn) does, and handles its failures.
    ///
    /// `make` makes the task's future, once for each run. A task that returns `()` or `Ok(())` has ended and is not
    /// restarted. A failure in the drain or later is an error in the report, and the task is not restarted.
    ///
    /// ```no_run
    /// use graceful::OnFailure;
    ///
    /// # async fn consume() -> std::io::Result<()> { Ok(()) }
    /// # async fn f(ctx: graceful::Context) {
    /// ctx.supervise("consumer", OnFailure::RESTART, consume);
    /// ctx.supervise("leader election", OnFailure::Shutdown, || async { Err::<(), _>("lost the lease") });
    /// # }
    /// ```
    pub fn supervise<M, F>(&self, name: impl Into<String>, on_failure: OnFailure, make: M) -> JoinHandle<()>
    where
        M: FnMut() -> F + Send + 'static,
        F: Future + Send + 'static,
        F::Output: TaskReturn,
    {
        let name = name.into();
        self.spawn(name.clone(), supervised(self.clone(), name, on_failure, make))
    }
}

async fn supervised<M, F>(context: Context, name: String, on_failure: OnFailure, mut make: M)
where
    M: FnMut() -> F + Send,
    F: Future + Send + 'static,
    F::Output: TaskReturn,
{
    let note = |level, text: String| context.0.recorder.note(level, text);
    let mut pause = None;
    loop {
        let begun = Instant::now();
        let future = make();
        // In a `JoinSet`, which catches a panic of the run, and aborts the run if this task is aborted.
        let mut run = JoinSet::new();
        run.spawn(async move { future.await.into_result() });
        let error = match run.join_next().await {
            None | Some(Ok(Ok(()))) => return,
            Some(Ok(Err(error))) => error,
            Some(Err(error)) => match error.try_into_panic() {
                Ok(panic) => format!("it panicked: {}", call::panic_message(&*panic)),
                Err(_) => return,
            },
        };
        // In grace, requests are still served, so the tasks that they need are restarted.
        let restarts = matches!(on_failure, OnFailure::Restart { .. });
        if context.phase() >= Phase::Draining || (context.phase() == Phase::Grace && !restarts) {
            return note(Level::Error, format!("task {name} FAILED during the shutdown: {error}"));
        }
        match on_failure {
            OnFailure::Shutdown => {
                note(Level::Error, format!("task {name} FAILED: {error}; the process shuts down"));
                return context.0.request(Request::Stop(Cause::Fatal { task: name, error }));
            }
            OnFailure::Log => return note(Level::Warn, format!("task {name} failed: {error}; it is not restarted")),
            OnFailure::Restart { first, longest } => {
                let last = pause.filter(|_| begun.elapsed() < longest);
                let next = last.map_or(first, |last: Duration| last.saturating_mul(2)).min(longest).max(SHORTEST_PAUSE);
                pause = Some(next);
                note(Level::Warn, format!("task {name} failed: {error}; it is restarted in {}", Pretty(next)));
                tokio::select! {
                    () = context.reached(Phase::Draining) => return,
                    () = sleep(next) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{builder::Builder, report::summary::Report};
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    async fn run<M, F>(main: M) -> Report
    where
        M: FnOnce(Context) -> F,
        F: Future<Output = ()>,
    {
        tokio::time::pause();
        Builder::for_tests().run_here(main).await.unwrap()
    }

    #[tokio::test]
    async fn a_task_that_must_not_fail_shuts_the_process_down() {
        let report = run(|ctx| async move {
            ctx.ready();
            ctx.supervise("lease", OnFailure::Shutdown, || async { Err::<(), _>("lost") });
            ctx.draining().await;
        })
        .await;
        assert_eq!(report.cause, Some(Cause::Fatal { task: "lease".into(), error: "lost".into() }));
        assert_eq!(report.exit_code(), 3);
        assert!(report.phases().any(|phase| phase == Phase::Grace), "{report}");
    }

    #[tokio::test]
    async fn a_restarted_task_waits_longer_each_time() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let report = run(|ctx| async move {
            ctx.ready();
            let flaky = || async {
                match RUNS.fetch_add(1, Relaxed) {
                    0 => panic!("first"),
                    1 | 2 => Err("again"),
                    _ => Ok(()),
                }
            };
            ctx.supervise("flaky", OnFailure::RESTART, flaky).await.unwrap();
        })
        .await;
        assert_eq!(RUNS.load(Relaxed), 4);
        let text: String = report.entries.iter().map(|entry| format!("{}\n", entry.what)).collect();
        for said in ["it panicked: first; it is restarted in 100ms", "again; it is restarted in 200ms", "in 400ms"] {
            assert!(text.contains(said), "{text}");
        }
        assert_eq!(report.exit_code(), 0);
    }

    #[tokio::test]
    async fn a_task_whose_failure_is_only_logged_does_not_end_the_process() {
        let report = run(|ctx| async move {
            ctx.ready();
            ctx.supervise("cache warmer", OnFailure::Log, || async { Err::<(), _>("no cache") }).await.unwrap();
        })
        .await;
        assert_eq!((report.problems().count(), report.cause), (0, Some(Cause::MainReturned)));
    }
}
