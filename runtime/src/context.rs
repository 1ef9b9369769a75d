//! What users hold: the handle to the process's shutdown.

use crate::{
    cause::{Cause, Signal},
    checks::board::{Board, CheckState, On},
    drain::phase_observers::Followers,
    drain::tracker::Tracker,
    hooks::descriptor::HookReturn,
    hooks::registry::Registry,
    hooks::state::{Provided, State},
    phase::Phase,
    report::recorder::Recorder,
    report::summary::{Level, MainResult},
};
use graceful_plan::Plan;
use hyper::Response;
use std::{
    borrow::Cow,
    fmt,
    future::Future,
    panic::Location,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// What the lifecycle is asked or told.
#[derive(Debug)]
pub(crate) enum Request {
    /// The process is ready.
    Ready,
    /// A signal came.
    Signal(Signal),
    /// The program asks for a shutdown.
    Stop(Cause),
    /// `main` ended.
    Main(MainResult),
}

/// What a process and its lifecycle share. The lifecycle alone writes the phase; everyone else reads it or sends
/// a [`Request`].
pub(crate) struct Shared {
    pub(crate) plan: Plan,
    pub(crate) tracker: Arc<Tracker>,
    pub(crate) recorder: Recorder,
    pub(crate) registry: Registry,
    pub(crate) state: Arc<Provided>,
    pub(crate) board: Board,
    /// How probes are answered, if not as usual.
    pub(crate) answers: OnceLock<Answers>,
    /// Ends the process when a shutdown has lasted this long, whatever its control thread does; not in a test.
    pub(crate) last_resort: OnceLock<fn(Duration)>,
    /// What a request for `/prestop` must carry; there is none without it.
    pub(crate) prestop_token: OnceLock<String>,
    /// The runtime of the user's tasks and hooks.
    pub(crate) runtime: tokio::runtime::Handle,
    /// When the shutdown began and when everything, hooks included, must be over.
    pub(crate) window: OnceLock<Window>,
    phase: AtomicU8,
    was_ready: AtomicBool,
    phases: watch::Sender<Phase>,
    pub(crate) followers: Followers,
    requests: mpsc::UnboundedSender<Request>,
    draining: CancellationToken,
    /// When traffic last arrived during grace, in milliseconds after the start.
    traffic: AtomicU64,
}

/// The time of a shutdown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) began: Instant,
    pub(crate) deadline: Instant,
}

impl Shared {
    /// What a process shares with its lifecycle, and the lifecycle's end of the requests.
    pub(crate) fn open(
        plan: Plan,
        linked_hooks: bool,
        board: Board,
        recorder: Recorder,
        runtime: tokio::runtime::Handle,
    ) -> (Context, mpsc::UnboundedReceiver<Request>) {
        let (requests, receiver) = mpsc::unbounded_channel();
        let shared = Self {
            plan,
            tracker: Arc::default(),
            recorder,
            registry: Registry::new(linked_hooks),
            state: Arc::default(),
            board,
            answers: OnceLock::new(),
            last_resort: OnceLock::new(),
            followers: Followers::default(),
            prestop_token: OnceLock::new(),
            runtime,
            window: OnceLock::new(),
            phase: AtomicU8::new(Phase::Starting as u8),
            was_ready: AtomicBool::new(false),
            phases: watch::channel(Phase::Starting).0,
            requests,
            draining: CancellationToken::new(),
            traffic: AtomicU64::new(0),
        };
        (Context(Arc::new(shared)), receiver)
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::from_u8(self.phase.load(Ordering::Acquire))
    }

    /// Enters a phase: for the lifecycle alone.
    pub(crate) fn enter(&self, phase: Phase) {
        if phase == Phase::Serving {
            self.was_ready.store(true, Ordering::Release);
        }
        self.phase.store(phase as u8, Ordering::Release);
        self.followers.tell(phase);
        self.phases.send_replace(phase);
        if phase >= Phase::Draining {
            self.draining.cancel();
        }
    }

    /// Whether the process was ever ready.
    pub(crate) fn was_ready(&self) -> bool {
        self.was_ready.load(Ordering::Acquire)
    }

    /// A request for this path has arrived. Probes are no traffic, wherever they are answered.
    pub(crate) fn note_request(&self, path: &str) {
        if On::of_path(path).is_none() {
            self.note_traffic();
        }
    }

    /// Something has arrived: of interest in grace, whose end waits for quiet if the plan says so.
    pub(crate) fn note_traffic(&self) {
        self.traffic.store(self.recorder.started().elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// When traffic last arrived, as far as it was noted.
    pub(crate) fn last_traffic(&self) -> Instant {
        self.recorder.started() + Duration::from_millis(self.traffic.load(Ordering::Relaxed))
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Phase> {
        self.phases.subscribe()
    }

    pub(crate) fn request(&self, request: Request) {
        // Nobody listens once everything is over; then there is nothing left to ask for.
        let _ = self.requests.send(request);
    }

    pub(crate) fn requests(&self) -> mpsc::UnboundedSender<Request> {
        self.requests.clone()
    }
}

/// A user's own answers to probes.
pub(crate) type Answers = Arc<dyn Fn(&Probe) -> Response<String> + Send + Sync>;

/// A probe that has been decided, and waits for the words of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// Which probe it is.
    pub on: On,
    /// Whether the answer is yes (200) or no (503).
    pub healthy: bool,
    /// The answer in a word: `ok`, `starting`, `failing` or `draining`.
    pub word: &'static str,
    /// The phase that the process is in.
    pub phase: Phase,
    /// The checks of this probe that were not excluded.
    pub checks: Vec<CheckState>,
    /// What is in flight: name and number.
    pub in_flight: Vec<(String, usize)>,
}

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
        self.0.draining.clone().cancelled_owned()
    }

    /// A token that is cancelled when the grace period is over, for code that takes tokio-util's token.
    pub fn drain_token(&self) -> CancellationToken {
        // A child: a user who cancels it ends their own work, not everybody's.
        self.0.draining.child_token()
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
        let _ = self.0.answers.set(Arc::new(answer));
    }

    /// When everything, hooks included, will be cut short; `None` while no shutdown has begun.
    pub fn deadline(&self) -> Option<std::time::Instant> {
        self.0.window.get().map(|window| window.deadline.into_std())
    }

    /// The settings of the shutdown, with the environment's overrides.
    pub fn plan(&self) -> &Plan {
        &self.0.plan
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
