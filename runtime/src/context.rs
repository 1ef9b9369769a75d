//! What users hold: the handle to the process's shutdown.

use crate::{
    cause::Cause,
    checks::board::Board,
    health::probe::Probe,
    hooks::{descriptor::HookReturn, state::State},
    phase::Phase,
    report::{recorder::Recorder, timeline::Level},
    shared::{Request, Shared},
};
use graceful_plan::Plan;
use hyper::Response;
use std::{
    borrow::Cow,
    fmt,
    future::Future,
    panic::Location,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

/// The handle to the shutdown of this process: what `main` takes, and what [`context()`] gives everywhere else.
///
/// Cloning it is cheap, and every clone is the same handle.
///
/// ```no_run
/// #[graceful::main(grace = "5s")]
/// async fn main(ctx: graceful::Context) {
///     ctx.ready();
///     while ctx.phase() == graceful::Phase::Serving {
///         // take one job from the queue and finish it
///         # tokio::task::yield_now().await;
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Context(pub(crate) Arc<Shared>);

static PROCESS: OnceLock<Context> = OnceLock::new();

/// The context of this process.
///
/// # Panics
/// Outside of a program that `#[graceful::main]` or [`Builder::run`](crate::Builder::run) started.
/// [`try_context`] does not panic.
///
/// ```no_run
/// let phase = graceful::context().phase();
/// # let _ = phase;
/// ```
#[track_caller]
pub fn context() -> Context {
    match try_context() {
        Some(context) => context,
        None => panic!(
            "graceful is not running: put `#[graceful::main]` on main, or pass the `Context` that `Builder::run_here` gives"
        ),
    }
}

/// The context of this process; `None` outside of a program that `#[graceful::main]` or
/// [`Builder::run`](crate::Builder::run) started.
///
/// ```
/// assert!(graceful::try_context().is_none());
/// ```
pub fn try_context() -> Option<Context> {
    PROCESS.get().cloned()
}

/// Makes this the process's context; the first one stays.
pub(crate) fn install(context: &Context) {
    let _ = PROCESS.set(context.clone());
}

impl Context {
    /// Says that the process is ready for traffic, so that `/readyz` answers 200.
    ///
    /// [`serve`](crate::serve) says it by itself. A process that never serves through this crate, such as a queue
    /// worker, says it here, or starts with `ready = "on-start"`. Once a shutdown has begun it changes nothing.
    pub fn ready(&self) {
        if self.phase() == Phase::Starting {
            self.0.request(Request::Ready);
        }
    }

    /// The phase that the process is in.
    pub fn phase(&self) -> Phase {
        self.0.phase()
    }

    /// Resolves when a shutdown begins: at the signal, before the grace period.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// ```no_run
    /// # async fn f(ctx: graceful::Context) {
    /// tokio::spawn({
    ///     let stopping = ctx.terminating();
    ///     async move {
    ///         stopping.await;
    ///         // take this replica out of the message broker's consumer group
    ///     }
    /// });
    /// # }
    /// ```
    pub fn terminating(&self) -> impl Future<Output = ()> + Send + use<> {
        self.reached(Phase::Grace)
    }

    /// Resolves when the grace period is over: take nothing new, finish what was begun.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// ```no_run
    /// # async fn next_job() {}
    /// # async fn f(ctx: graceful::Context) {
    /// let mut draining = std::pin::pin!(ctx.draining());
    /// loop {
    ///     tokio::select! {
    ///         _ = &mut draining => break,
    ///         job = next_job() => { /* finish it */ }
    ///     }
    /// }
    /// # }
    /// ```
    pub fn draining(&self) -> impl Future<Output = ()> + Send + use<> {
        // Not by watching the phase: thousands may wait here, and no other phase is to wake them.
        self.0.drain_token().clone().cancelled_owned()
    }

    /// A token that is cancelled when the grace period is over, for code that takes tokio-util's token.
    pub fn drain_token(&self) -> CancellationToken {
        // A child: a user who cancels it ends their own work, not everybody's.
        self.0.drain_token().child_token()
    }

    /// Begins a shutdown, as a signal does; `reason` stands in the report. Once one has begun it changes nothing.
    pub fn shutdown(&self, reason: impl Into<String>) {
        if !self.phase().is_terminating() {
            self.0.request(Request::Stop(Cause::Requested(reason.into())));
        }
    }

    /// Gives a value to the hooks, which take it as [`State<T>`]. One of each type: a second one of
    /// a type replaces the first.
    pub fn provide<T: Send + Sync + 'static>(&self, value: T) {
        self.0.state.put(value);
    }

    /// The value of this type that was [provided](Self::provide); `None` if there is none.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        self.0.state.get()
    }

    /// Registers a shutdown hook at run time, into the same order as those of `#[graceful::shutdown_hook]`.
    ///
    /// It has no timeout of its own and gets a fair share of the time that is left. Once the hooks have begun it is
    /// too late: the log says so, and the hook does not run.
    ///
    /// ```no_run
    /// # async fn f(ctx: graceful::Context) {
    /// ctx.on_shutdown(3, "close the pool", || async {
    ///     // pool.close().await
    /// });
    /// # }
    /// ```
    #[track_caller]
    pub fn on_shutdown<F, Fut>(&self, order: i32, name: impl Into<Cow<'static, str>>, hook: F)
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: HookReturn,
    {
        if let Err(name) = self.0.registry.add(order, name.into(), hook, Location::caller()) {
            self.0
                .recorder
                .note(Level::Error, format!("{name} was registered too late: the hooks have begun; it does not run"));
        }
    }

    /// Answers probes in a user's own words: body, status and headers, for healthy and for unhealthy answers.
    ///
    /// The function runs on the runtime of `main`. If that is too busy to answer within 200 ms, or the function
    /// panics, the usual answer is given. The first function stays.
    ///
    /// ```no_run
    /// # async fn f(ctx: graceful::Context) {
    /// ctx.answer_probes_with(|probe| {
    ///     let body = if probe.healthy { "UP" } else { "DOWN" };
    ///     let status = if probe.healthy { 200 } else { 503 };
    ///     let mut response = hyper::Response::new(format!("{{\"status\":\"{body}\"}}"));
    ///     *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    ///     response
    /// });
    /// # }
    /// ```
    pub fn answer_probes_with(&self, answer: impl Fn(&Probe) -> Response<String> + Send + Sync + 'static) {
        let _ = self.0.probe_responder.set(Arc::new(answer));
    }

    /// When everything, hooks included, will be cut short; `None` while no shutdown has begun.
    pub fn deadline(&self) -> Option<std::time::Instant> {
        self.0.window.get().map(|window| window.deadline.into_std())
    }

    /// The settings of the shutdown, with the environment's overrides.
    pub fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// The context of a new process, and the lifecycle's end of its requests.
    pub(crate) fn open(
        plan: Plan,
        linked_hooks: bool,
        board: Board,
        recorder: Recorder,
        runtime: Handle,
    ) -> (Self, mpsc::UnboundedReceiver<Request>) {
        let (shared, requests) = Shared::new(plan, linked_hooks, board, recorder, runtime);
        (Self(Arc::new(shared)), requests)
    }

    /// How long ago the shutdown began; `None` while none has.
    pub(crate) fn since_shutdown(&self) -> Option<Duration> {
        self.0.window.get().map(|window| window.began.elapsed())
    }

    pub(crate) fn reached(&self, phase: Phase) -> impl Future<Output = ()> + Send + use<> {
        let mut phases = self.0.watch();
        async move {
            // The sender is gone only with the whole lifecycle: then every phase has been reached.
            let _ = phases.wait_for(|&now| now >= phase).await;
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("phase", &self.phase()).finish_non_exhaustive()
    }
}
