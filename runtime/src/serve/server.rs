//! A server and its connections: counted, swept for timeouts, woken, and aborted at the drain deadline.
//!
//! A request touches only its own [`Connection`]. The list of connections is locked when one is accepted and when one
//! ends. While a client is in the middle of a request, the server's task sweeps all connections once a second, so a
//! timeout costs a connection no timer and a request no timer reset.

use super::{
    close_pacer::ClosePacer,
    mode::{Limits, Mode},
    open_connections::OpenConnections,
    protocols::Protocols,
    state::{Action, ConnState},
    sweep_schedule::SweepSchedule,
};
use crate::{
    context::Context,
    drain::{phase_observers::PhaseObserver, tracker::CONNECTIONS},
    phase::Phase,
    report::timeline::Level,
};
use slab::Slab;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, Once, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::Relaxed},
    },
    task::Waker,
    time::Duration,
};
use tokio::time::Instant;

/// A server, shared by its task and its connections.
pub(crate) struct Server {
    pub(crate) context: Context,
    pub(crate) limits: Limits,
    pub(crate) protocols: Protocols,
    pub(crate) pacer: ClosePacer,
    pub(crate) open: OpenConnections,
    pub(crate) sweep_schedule: SweepSchedule,
    /// The current mode. The control thread sets it when the phase changes.
    mode: AtomicU8,
    /// The mode for which connections have been woken.
    woken_for: AtomicU8,
    connections: Mutex<Slab<Arc<Connection>>>,
    warned: Once,
    /// How many connections the drain has cut because of their clients.
    late: AtomicUsize,
}

impl Server {
    pub(crate) fn new(context: Context, limits: Limits, protocols: Protocols, name: &str) -> Arc<Self> {
        let group = context.0.tracker.group(format!("{CONNECTIONS}{name}"));
        let server = Arc::new(Self {
            context,
            limits,
            protocols,
            pacer: ClosePacer::default(),
            open: OpenConnections::new(group, limits.connections),
            sweep_schedule: SweepSchedule::default(),
            mode: AtomicU8::new(Mode::Serve as u8),
            woken_for: AtomicU8::new(Mode::Serve as u8),
            connections: Mutex::default(),
            warned: Once::new(),
            late: AtomicUsize::new(0),
        });
        // Observe first: a phase that begins in between is seen either way.
        server.context.0.phase_observers.add(&server);
        server.observe(server.context.phase());
        server
    }

    pub(crate) fn mode(&self) -> Mode {
        match self.mode.load(Relaxed) {
            0 => Mode::Serve,
            1 => Mode::Grace,
            2 => Mode::Drain,
            _ => Mode::Abort,
        }
    }

    /// Whether no shutdown has begun.
    #[inline]
    pub(crate) fn is_serving(&self) -> bool {
        self.mode.load(Relaxed) == Mode::Serve as u8
    }

    /// Enters a mode, and wakes the connections that must act on it.
    pub(crate) fn set_mode(&self, mode: Mode) {
        self.mode.fetch_max(mode as u8, Relaxed);
        if self.woken_for.fetch_max(mode as u8, Relaxed) < mode as u8 {
            // In grace, an HTTP/1 connection acts with its next response.
            self.wake(|state| mode >= Mode::Drain || state.is_http2());
        }
    }

    /// Whether the next response of an HTTP/1 connection carries `Connection: close`.
    pub(crate) fn closes_after_response(&self) -> bool {
        match self.mode() {
            Mode::Serve => false,
            Mode::Grace => self.pacer.closes_next(&self.context),
            Mode::Drain | Mode::Abort => true,
        }
    }

    /// Adds a connection; `None` if the connections are being cut, and the report with their number is made.
    pub(crate) fn join(self: &Arc<Self>) -> Option<ConnectionGuard> {
        if !self.open.try_enter() {
            return None;
        }
        let mut connections = self.lock();
        if connections.len() == connections.capacity() {
            // By a sixteenth: doubling would leave up to half of the list unused.
            let more = (connections.len() / 16).max(64);
            connections.reserve_exact(more);
        }
        let vacant = connections.vacant_entry();
        let connection = Arc::new(Connection {
            server: self.clone(),
            state: ConnState::new(),
            key: vacant.key() as u32,
            has_left: AtomicBool::new(false),
            wakers: Mutex::default(),
        });
        vacant.insert(connection.clone());
        Some(ConnectionGuard(connection))
    }

    fn leave(&self, key: u32) {
        let gone = self.lock().remove(key as usize);
        drop(gone); // outside of the lock
        self.open.leave();
    }

    /// Half of what is left of the drain, so that what ends by then is not cut; `None` before the drain.
    pub(crate) fn half_of_the_drain(&self) -> Option<Instant> {
        let shared = &self.context.0;
        let (began, window) = (shared.tracker.drain_began()?, shared.window.get()?);
        let end = began.checked_add(shared.plan.drain).map_or(window.deadline, |end| end.min(window.deadline));
        let now = Instant::now();
        Some(now + end.saturating_duration_since(now) / 2)
    }

    /// Reports how many connections the drain has cut because their clients stopped sending or reading.
    pub(crate) fn report_late_clients(&self) {
        let late = self.late.load(Relaxed);
        if late > 0 {
            let text = format!(
                "{late} {} were cut in the drain: their clients had stopped sending or reading",
                self.open.name()
            );
            self.context.0.recorder.note(Level::Warn, text);
        }
    }

    /// Logs a warning once per server.
    pub(crate) fn warn_once(&self, text: impl FnOnce() -> String) {
        self.warned.call_once(|| self.context.0.recorder.note(Level::Warn, text()));
    }

    fn wake(&self, which: impl Fn(&ConnState) -> bool) {
        // Collected first: a woken task may end on the spot, and its end takes the lock.
        let wakers: Vec<_> = {
            let connections = self.lock();
            let chosen = connections.iter().filter(|(_, connection)| which(&connection.state));
            chosen.flat_map(|(_, connection)| connection.tasks()).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Adds `elapsed` to the age of every connection's state, and wakes the connections whose timeout has passed.
    /// Returns whether another sweep is needed.
    pub(crate) fn sweep(&self, elapsed: Duration) -> bool {
        let draining = self.mode() >= Mode::Drain;
        let mut limits = self.limits;
        if draining {
            // A client that stops sending leaves the others at least half of the drain.
            let half = self.context.0.plan.drain / 2;
            (limits.header, limits.body) = (limits.header.min(half), limits.body.min(half));
            // It closes the connection itself after GOAWAY, for which there must be time.
            limits.first = limits.first.min(half / 2);
        }
        self.sweep_schedule.begin_sweep();
        let connections = self.lock();
        let late = connections.iter().filter(|(_, connection)| connection.state.tick(elapsed, &limits, draining));
        let wakers: Vec<_> = late.flat_map(|(_, connection)| connection.tasks()).collect();
        let again = connections.iter().any(|(_, connection)| connection.state.waits_for_client());
        if again {
            self.sweep_schedule.continue_sweeps();
        }
        drop(connections);
        wakers.into_iter().for_each(Waker::wake);
        again
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Arc<Connection>>> {
        // Nothing that can panic runs under this lock but the cloning of wakers, which leaves the list intact.
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PhaseObserver for Server {
    fn observe(&self, phase: Phase) {
        self.mode.fetch_max(Mode::of(phase) as u8, Relaxed);
    }
}

/// One connection of a server.
pub(crate) struct Connection {
    pub(crate) server: Arc<Server>,
    pub(crate) state: ConnState,
    key: u32,
    /// Whether the connection is no longer a member of its server.
    has_left: AtomicBool,
    wakers: Mutex<Wakers>,
}

/// The tasks of a connection. Both act on timeouts and on the server's mode.
#[derive(Default)]
struct Wakers {
    /// The task that reads from the connection.
    reader: Option<Waker>,
    /// The task whose write to an upgraded connection is blocked; boxed, to keep other connections small.
    writer: Option<Box<Waker>>,
}

impl Connection {
    /// Makes this waker's task the one that is woken for timeouts and for the server's mode.
    ///
    /// The task reads the mode after this call: a mode that is set later wakes it, and one that was set before is
    /// visible to it, because both sides take the lock.
    pub(crate) fn register(&self, waker: &Waker) {
        match &mut self.wakers().reader {
            Some(known) => known.clone_from(waker), // does nothing if it wakes the same task
            unknown => *unknown = Some(waker.clone()),
        }
    }

    /// The same for the task whose write is blocked, which may be another one than the reader.
    pub(crate) fn register_writer(&self, waker: &Waker) {
        match &mut self.wakers().writer {
            Some(known) => known.as_mut().clone_from(waker),
            unknown => *unknown = Some(Box::new(waker.clone())),
        }
    }

    /// Hands the connection over to another protocol, whose tasks register themselves.
    pub(crate) fn upgrade(&self) {
        self.state.on_upgrade();
        *self.wakers() = Wakers::default();
    }

    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wakers of the connection's tasks.
    fn tasks(&self) -> impl Iterator<Item = Waker> + use<> {
        let wakers = self.wakers();
        [wakers.reader.clone(), wakers.writer.as_deref().cloned()].into_iter().flatten()
    }

    /// Ends the connection's membership in its server: the drain does not wait for it any longer, and nothing wakes it.
    pub(crate) fn leave(&self) {
        if !self.has_left.swap(true, Relaxed) {
            self.server.leave(self.key);
        }
    }

    /// Whether the socket itself is asked where the runtime knows of nothing to read.
    pub(crate) fn asks_socket(&self) -> bool {
        self.state.has_expired() || self.server.mode() >= Mode::Drain
    }

    /// Whether the connection needs no attention: no shutdown has begun, and no client is waited for.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.server.is_serving() && self.state.is_quiet()
    }

    /// Notes traffic for a grace period that waits for quiet.
    pub(crate) fn note_request(&self, path: &str) {
        if self.server.mode() == Mode::Grace {
            self.server.context.0.note_request(path);
        }
    }

    /// What the connection's task does next, after hyper has been polled.
    pub(crate) fn action(&self) -> Action {
        if self.has_left.load(Relaxed) {
            return Action::Continue; // it lingers, also while the hooks run
        }
        if self.state.waits_for_client() {
            self.server.sweep_schedule.request();
        }
        self.state.action(self.server.mode())
    }

    /// Whether the drain cuts the connection because its client is late.
    pub(crate) fn is_cut_late(&self) -> bool {
        self.server.mode() == Mode::Drain && self.state.is_late()
    }

    /// Counts a connection that the drain has cut because its client was late.
    pub(crate) fn count_late(&self) {
        self.server.late.fetch_add(1, Relaxed);
    }
}

/// The membership of a connection in its server. It ends when the connection's stream is dropped, also by the owner of
/// an upgraded connection, or earlier by [`Connection::leave`].
pub(crate) struct ConnectionGuard(Arc<Connection>);

impl ConnectionGuard {
    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.0
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.leave();
    }
}
