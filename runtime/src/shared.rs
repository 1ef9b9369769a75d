//! What every part of a process shares: the phase, the requests to the lifecycle, and everything that lives as long.

use crate::{
    cause::{Cause, Signal},
    checks::board::Board,
    drain::{phase_observers::PhaseObservers, tracker::Tracker},
    health::probe::ProbeResponder,
    hooks::{registry::Registry, state::Provided},
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
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) registry: Registry,
    pub(crate) state: Arc<Provided>,
    pub(crate) board: Board,
    /// How probes are answered, if not as usual.
    pub(crate) probe_responder: OnceLock<ProbeResponder>,
    /// Ends the process when a shutdown has lasted this long, whatever its control thread does; not in a test.
    pub(crate) last_resort: OnceLock<fn(Duration)>,
    /// What a request for `/prestop` must carry; there is none without it.
    pub(crate) prestop_token: OnceLock<String>,
    /// The runtime of the user's tasks and hooks.
    pub(crate) runtime: Handle,
    /// When the shutdown began and when everything, hooks included, must be over.
    pub(crate) window: OnceLock<Window>,
    phase: AtomicU8,
    was_ready: AtomicBool,
    phases: watch::Sender<Phase>,
    pub(crate) phase_observers: PhaseObservers,
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

    /// Enters a phase: for the lifecycle alone.
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

    /// Cancelled when the drain begins.
    pub(crate) fn drain_token(&self) -> &CancellationToken {
        &self.draining
    }

    pub(crate) fn request(&self, request: Request) {
        // Nobody listens once everything is over; then there is nothing left to ask for.
        let _ = self.requests.send(request);
    }

    pub(crate) fn requests(&self) -> mpsc::UnboundedSender<Request> {
        self.requests.clone()
    }
}
