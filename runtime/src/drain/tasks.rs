//! A user's tasks and futures: the drain waits for them, and the report names them.

use super::tracker::Guard;
use crate::{context::Context, report::timeline::Level, shared::Shared};
use std::{future::Future, panic::Location, sync::Arc};
use tokio::task::JoinHandle;

impl Context {
    /// Spawns a task that the drain waits for. At the drain deadline the task is aborted, and the report names it.
    ///
    /// A task that loops should return when [`draining`](Self::draining) resolves.
    ///
    /// # Panics
    /// Never: the task runs on the runtime of `main`, and this may be called from any thread.
    ///
    /// ```no_run
    /// # async fn consume() {}
    /// # async fn f(ctx: graceful::Context) {
    /// let draining = ctx.draining();
    /// ctx.spawn("consumer", async move {
    ///     tokio::select! { _ = draining => {}, _ = consume() => {} }
    /// });
    /// # }
    /// ```
    pub fn spawn<F>(&self, name: impl Into<String>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let name = name.into();
        let guard = self.0.tracker.guard(format!("task {name}"));
        let number = guard.number();
        let shared = self.0.clone();
        let task = self.0.runtime.spawn(async move {
            let _guard = guard;
            let _report_panic = ReportPanic { shared, name };
            future.await
        });
        Guard::abort_with(&self.0.tracker, number, task.abort_handle());
        task
    }

    /// Makes the drain wait for a future, wherever it is awaited. If the future is still running at the drain deadline,
    /// the report names the place of this call.
    ///
    /// ```no_run
    /// # async fn store() -> u32 { 1 }
    /// # async fn f(ctx: graceful::Context) {
    /// let rows = ctx.track(store()).await;
    /// # let _ = rows;
    /// # }
    /// ```
    #[track_caller]
    pub fn track<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let at = Location::caller();
        let guard = self.0.tracker.guard(format!("the future tracked at {}:{}", at.file(), at.line()));
        async move {
            let _guard = guard;
            future.await
        }
    }
}

/// Reports the name of a task that panics.
struct ReportPanic {
    shared: Arc<Shared>,
    name: String,
}

impl Drop for ReportPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // During the shutdown a panic is lost work; before it, the process goes on.
            let level = if self.shared.phase().is_terminating() { Level::Error } else { Level::Warn };
            self.shared.recorder.note(level, format!("task {} PANICKED", self.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{builder::Builder, report::summary::Report};
    use std::time::Duration;
    use tokio::time::sleep;

    async fn run<M, F>(main: M) -> Report
    where
        M: FnOnce(Context) -> F,
        F: Future<Output = ()>,
    {
        tokio::time::pause();
        Builder::for_tests().run_here(main).await.unwrap()
    }

    #[tokio::test]
    async fn the_report_names_the_task_that_the_drain_waited_for_longest() {
        let report = run(|ctx| async move {
            ctx.ready();
            for (name, secs) in [("quick", 1), ("reindex", 3)] {
                let draining = ctx.draining();
                ctx.spawn(name, async move {
                    draining.await;
                    sleep(Duration::from_secs(secs)).await;
                });
            }
            ctx.shutdown("enough");
            ctx.draining().await;
            sleep(Duration::from_secs(2)).await;
        })
        .await;
        let (name, took) = report.waited_for().unwrap();
        assert_eq!((name, took.as_secs()), ("task reindex", 3), "{report}");
    }

    #[tokio::test]
    async fn the_report_names_main_if_it_ends_last() {
        let report = run(|ctx| async move {
            ctx.ready();
            ctx.spawn("quick", ctx.draining());
            ctx.shutdown("enough");
            ctx.draining().await;
            sleep(Duration::from_secs(2)).await;
        })
        .await;
        assert_eq!(report.waited_for().map(|(name, _)| name), Some("main"), "{report}");
    }

    #[tokio::test]
    async fn a_drain_that_waits_for_nothing_names_nothing() {
        let report = run(|ctx| async move {
            ctx.ready();
            ctx.spawn("quick", ctx.draining());
            ctx.shutdown("enough");
            ctx.draining().await;
        })
        .await;
        assert_eq!(report.waited_for(), None, "{report}");
    }

    #[tokio::test]
    async fn a_task_that_is_cut_is_a_problem_and_not_the_longest_wait() {
        let report = run(|ctx| async move {
            ctx.ready();
            ctx.spawn("stuck", std::future::pending::<()>());
            ctx.shutdown("enough");
            ctx.draining().await;
            sleep(Duration::from_secs(2)).await;
        })
        .await;
        assert_eq!((report.waited_for(), report.exit_code()), (None, 3), "{report}");
    }
}
