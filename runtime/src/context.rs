//! The handle to the process's shutdown that users hold.

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

/// The handle to the shutdown of this process: an argument of `main`, and available everywhere from [`context()`].
///
/// Cheap to clone; all clones are the same handle.
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

/// Makes this the process's context; a second call has no effect.
pub(crate) fn install(context: &Context) {
    let _ = PROCESS.set(context.clone());
}

impl Context {
    /// Marks the process as ready for traffic: `/readyz` responds with 200.
    ///
    /// [`serve`](crate::serve) calls this by itself. A process that does not serve through this crate, such as a queue
    /// worker, calls it here, or starts with `ready = "on-start"`. No effect once a shutdown has begun.
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

    /// Resolves when the grace period is over: take no new work, finish what is in progress.
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
        // Not the phase's watch channel: thousands of futures may wait here, and other phases must not wake them.
        self.0.drain_token().clone().cancelled_owned()
    }

    /// A token that is cancelled when the grace period is over, for code that takes tokio-util's token.
    pub fn drain_token(&self) -> CancellationToken {
        // A child token: cancelling it affects the caller's own work only.
        self.0.drain_token().child_token()
    }

    /// Begins a shutdown, as a signal does; the report shows `reason`. No effect once a shutdown has begun.
    pub fn shutdown(&self, reason: impl Into<String>) {
        if !self.phase().is_terminating() {
            self.0.request(Request::Stop(Cause::Requested(reason.into())));
        }
    }

    /// Provides a value to hooks and checks, which take it as [`State<T>`]. One value per type: a second value of a
    /// type replaces the first.
    pub fn provide<T: Send + Sync + 'static>(&self, value: T) {
        self.0.state.put(value);
    }

    /// The [provided](Self::provide) value of this type; `None` if there is none.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        self.0.state.get()
    }

    /// Registers a shutdown hook at run time, in the same order as those of `#[graceful::shutdown_hook]`.
    ///
    /// The hook has no timeout of its own: it gets a fair share of the time that is left. Once the hooks have begun, a
    /// new hook does not run, and an error is logged.
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

    /// Replaces the responses to probes: body, status and headers, both healthy and unhealthy.
    ///
    /// The function runs on the runtime of `main`. If it does not return within 200 ms, or panics, the default response
    /// is sent. A second call has no effect.
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
    pub fn answer_probes_with(&self, respond: impl Fn(&Probe) -> Response<String> + Send + Sync + 'static) {
        let _ = self.0.probe_responder.set(Arc::new(respond));
    }

    /// When the shutdown, hooks included, is cut short; `None` while none has begun.
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

    /// Resolves when this phase or a later one begins.
    pub(crate) fn reached(&self, phase: Phase) -> impl Future<Output = ()> + Send + use<> {
        let mut phases = self.0.watch();
        async move {
            // The sender is dropped with the lifecycle only: then every phase has been reached.
            let _ = phases.wait_for(|&now| now >= phase).await;
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("phase", &self.phase()).finish_non_exhaustive()
    }
}
