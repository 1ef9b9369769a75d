//! What every part of a process shares: the phase, requests to the lifecycle, and everything of the same lifetime.

use crate::{
    cause::{Cause, Signal},
    checks::board::Board,
    drain::{phase_observers::PhaseObservers, tracker::Tracker},
    health::probe::ProbeResponder,
    hooks::{call::HookThread, registry::Registry, state::Provided},
    os::process::LastResort,
    phase::Phase,
    report::{check_state::On, outcome::MainResult, recorder::Recorder},
};
use graceful_plan::Plan;
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// A message to the lifecycle.
#[derive(Debug)]
pub(crate) enum Request {
    /// The process is ready.
    Ready,
    /// A signal arrived.
    Signal(Signal),
    /// The program asks for a shutdown.
    Stop(Cause),
    /// `main` ended.
    Main(MainResult),
}

/// The shared part of a process. Only the lifecycle enters a phase; everything else reads the phase or sends a
/// [`Request`].
pub(crate) struct Shared {
    pub(crate) plan: Plan,
    pub(crate) tracker: Arc<Tracker>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) registry: Registry,
    pub(crate) state: Arc<Provided>,
    pub(crate) board: Board,
    /// Makes the responses to probes, in place of the default ones.
    pub(crate) probe_responder: OnceLock<ProbeResponder>,
    /// Ends the process when a shutdown has lasted this long, even if the control thread is stuck; unset in tests.
    pub(crate) last_resort: OnceLock<LastResort>,
    /// The thread for synchronous hooks; unset in tests.
    pub(crate) hook_thread: OnceLock<Arc<HookThread>>,
    /// The token that a request for `/prestop` must carry; without a token the path does not exist.
    pub(crate) prestop_token: OnceLock<String>,
    /// The runtime of the user's tasks and hooks.
    pub(crate) runtime: Handle,
    /// When the shutdown began, and when it must be over.
    pub(crate) window: OnceLock<Window>,
    phase: AtomicU8,
    was_ready: AtomicBool,
    phases: watch::Sender<Phase>,
    pub(crate) phase_observers: PhaseObservers,
    requests: mpsc::UnboundedSender<Request>,
    draining: CancellationToken,
    /// When traffic last arrived during grace, in milliseconds since the start.
    traffic: AtomicU64,
}

/// The time frame of a shutdown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) began: Instant,
    /// When everything, hooks included, must be over.
    pub(crate) deadline: Instant,
}

impl Shared {
    /// The shared part of a new process, and the lifecycle's end of the requests.
    pub(crate) fn new(
        plan: Plan,
        linked_hooks: bool,
        board: Board,
        recorder: Recorder,
        runtime: Handle,
    ) -> (Self, mpsc::UnboundedReceiver<Request>) {
        let (requests, receiver) = mpsc::unbounded_channel();
        let shared = Self {
            plan,
            tracker: Arc::default(),
            recorder: Arc::new(recorder),
            registry: Registry::new(linked_hooks),
            state: Arc::default(),
            board,
            probe_responder: OnceLock::new(),
            last_resort: OnceLock::new(),
            hook_thread: OnceLock::new(),
            phase_observers: PhaseObservers::default(),
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
        (shared, receiver)
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::from_u8(self.phase.load(Ordering::Acquire))
    }

    /// Enters a phase; called by the lifecycle only.
    pub(crate) fn enter(&self, phase: Phase) {
        if phase == Phase::Serving {
            self.was_ready.store(true, Ordering::Release);
        }
        self.phase.store(phase as u8, Ordering::Release);
        self.phase_observers.notify(phase);
        self.phases.send_replace(phase);
        if phase >= Phase::Draining {
            self.draining.cancel();
        }
    }

    /// Whether the process was ever ready.
    pub(crate) fn was_ready(&self) -> bool {
        self.was_ready.load(Ordering::Acquire)
    }

    /// Notes a request for this path. Probes are not traffic, whichever server responds to them.
    pub(crate) fn note_request(&self, path: &str) {
        if On::of_path(path).is_none() {
            self.note_traffic();
        }
    }

    /// Notes that traffic has arrived: with `quiet` in the plan, grace ends only after a time without traffic.
    pub(crate) fn note_traffic(&self) {
        self.traffic.store(self.recorder.started().elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// When traffic was last noted.
    pub(crate) fn last_traffic(&self) -> Instant {
        self.recorder.started() + Duration::from_millis(self.traffic.load(Ordering::Relaxed))
    }

    /// A receiver of every phase.
    pub(crate) fn watch(&self) -> watch::Receiver<Phase> {
        self.phases.subscribe()
    }

    /// Cancelled when the drain begins.
    pub(crate) fn drain_token(&self) -> &CancellationToken {
        &self.draining
    }

    /// Sends a message to the lifecycle.
    pub(crate) fn request(&self, request: Request) {
        // Fails once the lifecycle is over, when requests have no effect.
        let _ = self.requests.send(request);
    }

    /// A sender of messages to the lifecycle.
    pub(crate) fn requests(&self) -> mpsc::UnboundedSender<Request> {
        self.requests.clone()
    }
}
