//! A process's whole lifecycle in a test: feature `testing`.
//!
//! Time is paused, so a grace period of five seconds passes at once; signals are injected; and the [`Report`] has the
//! result.
//!
//! ```standalone_crate
//! use graceful::{HookOutcome, Signal, State, testing::Life};
//! use std::sync::{Arc, Mutex};
//!
//! #[derive(Default)]
//! struct Orders(Mutex<Vec<u32>>);
//!
//! #[graceful::shutdown_hook(order = 1, timeout = "3s")]
//! async fn flush_orders(orders: State<Arc<Orders>>) -> Result<(), String> {
//!     orders.0.lock().map_err(|e| e.to_string())?.clear();
//!     Ok(())
//! }
//!
//! // #[tokio::test]
//! # #[tokio::main(flavor = "current_thread")]
//! async fn orders_are_flushed_after_sigterm() {
//!     let orders = Arc::new(Orders(Mutex::new(vec![7])));
//!     let kept = orders.clone();
//!     let report = Life::new()
//!         .with_linked_hooks()
//!         .run(|ctx, triggers| async move {
//!             ctx.provide(orders);
//!             ctx.ready();
//!             triggers.signal(Signal::Terminate);
//!             ctx.draining().await;
//!         })
//!         .await;
//!     report.assert_clean();
//!     assert_eq!(report.hook("flush_orders").map(|hook| &hook.outcome), Some(&HookOutcome::Finished));
//!     assert!(kept.0.lock().unwrap().is_empty());
//! }
//! # orders_are_flushed_after_sigterm();
//! ```

use crate::{
    builder::{Builder, Triggers},
    context::Context,
    lifecycle::main_run::MainReturn,
    report::summary::Report,
};
use graceful_plan::Plan;
use std::future::Future;

/// A lifecycle without effects outside of its test: no signal handlers, no health server, no environment, paused time.
#[derive(Debug)]
#[must_use = "a lifecycle does nothing until it runs"]
pub struct Life(Builder);

impl Default for Life {
    fn default() -> Self {
        Self::new()
    }
}

impl Life {
    /// A lifecycle with the plan [`Plan::DEFAULT`], without the hooks and checks of this binary.
    pub fn new() -> Self {
        Self(Builder::for_tests())
    }

    /// With this plan; the health server is started if the plan has an address for it.
    pub fn plan(self, plan: Plan) -> Self {
        Self(self.0.plan(plan))
    }

    /// With the hooks and checks that are linked into this test's binary.
    pub fn with_linked_hooks(self) -> Self {
        Self(self.0.linked_hooks(true))
    }

    /// Runs `main` and the whole lifecycle, and returns the report.
    ///
    /// # Panics
    /// Outside of a current-thread runtime, or if its time is paused already: use a plain `#[tokio::test]` without
    /// `start_paused`. Also if the plan does not fit its budget.
    pub async fn run<F, Fut>(self, main: F) -> Report
    where
        F: FnOnce(Context, Triggers) -> Fut,
        Fut: Future,
        Fut::Output: MainReturn,
    {
        tokio::time::pause();
        let triggers = self.0.triggers();
        match self.0.run_here(|context| main(context, triggers)).await {
            Ok(report) => report,
            Err(error) => panic!("{error}"),
        }
    }
}

impl Report {
    /// Panics with the whole timeline unless the exit code is 0.
    ///
    /// # Panics
    /// Something was lost, cut short or failed.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.exit_code() == 0, "exit code {}\n{self}", self.exit_code());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[should_panic(expected = "no route to host")]
    async fn a_report_with_a_failed_hook_is_not_clean() {
        let report = Life::new().run(|ctx, _| async move {
            ctx.on_shutdown(1, "copy", || async { Err("no route to host") });
        });
        report.await.assert_clean();
    }
}
