//! The framework without the attribute: for programs that choose their settings at run time, and for tests.

use crate::{
    cause::Signal,
    checks::{descriptor as check, runner},
    context::Context,
    error::StartError,
    health::{listener, server},
    hooks::registry,
    integrations,
    lifecycle::{
        main_run::{self, MainReturn},
        orchestrator,
        runtime_config::{Flavor, RuntimeConfig},
        startup::{self, Main},
    },
    report::{log, recorder::Recorder, summary::Report},
    shared::Request,
};
use graceful_plan::{Budget, Health, Plan};
use std::{future::Future, process::ExitCode};
use tokio::{sync::mpsc, task::AbortHandle};

/// `#[graceful::main]` without the macro.
///
/// By default it handles SIGINT and SIGTERM, runs the linked hooks and has the plan [`Plan::DEFAULT`], as the attribute
/// does.
///
/// ```no_run
/// use graceful::{Builder, Plan};
/// use std::{process::ExitCode, time::Duration};
///
/// fn main() -> ExitCode {
///     let plan = Plan { grace: Duration::from_secs(8), ..Plan::DEFAULT };
///     Builder::new().plan(plan).run(|ctx| async move {
///         ctx.ready();
///         ctx.draining().await;
///     })
/// }
/// ```
///
/// In a test, a whole lifecycle runs in the runtime of the test, here with paused time:
///
/// ```
/// use graceful::{Builder, Phase};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// tokio::time::pause();
/// let report = Builder::for_tests()
///     .run_here(|ctx| async move {
///         ctx.ready();
///         ctx.on_shutdown(1, "flush", || async { Err::<(), _>("disk full") });
///         ctx.shutdown("the test is over");
///         ctx.draining().await;
///     })
///     .await
///     .unwrap();
/// assert_eq!(report.exit_code(), 3);
/// assert!(report.to_string().contains("disk full"));
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until it runs"]
pub struct Builder {
    main: Main,
    linked_hooks: bool,
    triggers: (mpsc::UnboundedSender<Signal>, mpsc::UnboundedReceiver<Signal>),
}

/// Aborts the health server of [`Builder::run_here`] when its lifecycle is over, because the runtime goes on.
struct AbortOnDrop(Option<AbortHandle>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// Sends signals to a lifecycle as if the operating system had sent them.
#[derive(Debug, Clone)]
pub struct Triggers(mpsc::UnboundedSender<Signal>);

impl Triggers {
    /// Sends a signal; no effect if the lifecycle is over.
    pub fn signal(&self, signal: Signal) {
        let _ = self.0.send(signal);
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// The settings of a bare `#[graceful::main]`.
    pub fn new() -> Self {
        Self::with(Main {
            plan: Plan::DEFAULT,
            signals: &[Signal::Interrupt, Signal::Terminate],
            runtime: RuntimeConfig::default(),
            package: "main",
        })
    }

    /// No signals, no health server and no linked hooks: a lifecycle without effects outside of its test.
    pub fn for_tests() -> Self {
        let plan = Plan { health: Health::Off, ..Plan::DEFAULT };
        Self::new().plan(plan).signals(&[]).linked_hooks(false)
    }

    pub(crate) fn with(main: Main) -> Self {
        Self { main, linked_hooks: true, triggers: mpsc::unbounded_channel() }
    }

    /// The settings of the shutdown.
    pub fn plan(mut self, plan: Plan) -> Self {
        self.main.plan = plan;
        self
    }

    /// The signals that begin a shutdown; none with an empty list. [`run_here`](Self::run_here) installs none.
    pub fn signals(mut self, signals: &'static [Signal]) -> Self {
        self.main.signals = signals;
        self
    }

    /// Whether the functions with `#[graceful::shutdown_hook]` and `#[graceful::health_check]` run. Default: **yes**.
    pub fn linked_hooks(mut self, run: bool) -> Self {
        self.linked_hooks = run;
        self
    }

    /// The kind of runtime for [`run`](Self::run). Default: **[`Flavor::MultiThread`]**.
    pub fn flavor(mut self, flavor: Flavor) -> Self {
        self.main.runtime.flavor = flavor;
        self
    }

    /// The number of worker threads of the runtime for [`run`](Self::run). Default: **one for each processor**.
    ///
    /// # Panics
    /// `run` panics if it is 0, as tokio does.
    pub fn worker_threads(mut self, threads: usize) -> Self {
        self.main.runtime.worker_threads = Some(threads);
        self
    }

    /// The maximum number of threads for blocking code of the runtime for [`run`](Self::run). Default: **512**.
    ///
    /// # Panics
    /// `run` panics if it is 0, as tokio does.
    pub fn max_blocking_threads(mut self, threads: usize) -> Self {
        self.main.runtime.max_blocking_threads = Some(threads);
        self
    }

    /// The name of the program in its log and plan. Default: **`main`**.
    pub fn name(mut self, name: &'static str) -> Self {
        self.main.package = name;
        self
    }

    /// A handle that injects signals into [`run_here`](Self::run_here).
    pub fn triggers(&self) -> Triggers {
        Triggers(self.triggers.0.clone())
    }

    /// Runs `main` as the whole process: on a runtime of its own, with the control thread, the environment's
    /// overrides and [`context()`](crate::context()). Returns the exit code, for `main` to return.
    pub fn run<F, Fut>(self, main: F) -> ExitCode
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future,
        Fut::Output: MainReturn,
    {
        startup::run(self.main, self.linked_hooks, main).into()
    }

    /// Runs `main` and its lifecycle in the current runtime, on its clock, and returns the report.
    ///
    /// There is no control thread and no signal handler (use [`triggers`](Self::triggers)), the environment is not
    /// read, and only `main` gets the context: [`context()`](crate::context()) does not return it.
    ///
    /// # Errors
    /// The plan does not fit its budget, or the health address is in use.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future drops `main` where it stands; hooks do not run.
    pub async fn run_here<F, Fut>(self, main: F) -> Result<Report, StartError>
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future,
        Fut::Output: MainReturn,
    {
        let plan = self.main.plan;
        let hooks = if self.linked_hooks { registry::linked() } else { Vec::new() };
        let checks = if self.linked_hooks { check::linked()? } else { Vec::new() };
        plan.check_pairs().map_err(StartError::Plan)?;
        Budget::new(plan, registry::budget_groups(&hooks)).check().map_err(StartError::Budget)?;
        let listener = listener::bind(plan.health)?;
        let recorder = Recorder::new(|entry| {
            integrations::count(&entry);
            log::emit(&entry);
        });
        let (context, mut requests) = Context::open(
            plan,
            self.linked_hooks,
            runner::board(&plan, &checks),
            recorder,
            tokio::runtime::Handle::current(),
        );
        let mut health_server = AbortOnDrop(None);
        if let Some(listener) = listener {
            let address = listener.local_addr().map_or_else(|_| plan.health.to_string(), |address| address.to_string());
            let server = server::start(listener, context.clone());
            health_server.0 = Some(server.map_err(|error| StartError::Health { address, error })?);
        }
        let mut injected = self.triggers.1;
        let forward = async {
            while let Some(signal) = injected.recv().await {
                context.0.request(Request::Signal(signal));
            }
            std::future::pending().await
        };
        let lifecycle = async {
            let drive = main_run::drive(context.clone(), main);
            let lifecycle = orchestrator::run(context.clone(), &checks, &mut requests);
            tokio::join!(drive, lifecycle).1
        };
        tokio::select! {
            biased; // with paused time, a test runs the same way every time
            () = forward => unreachable!("it never resolves"),
            report = lifecycle => Ok(report),
        }
    }
}
