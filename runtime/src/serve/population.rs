//! The connections of one server: counted, aged, woken and cut.
//!
//! A request touches only its own connection's [`Conn`], with plain loads and stores of relaxed atomics; the shared
//! list is locked when a connection comes and when it goes. While a client is in the middle of a
//! request, once a second, the server's task looks at every
//! connection, which is what timeouts cost instead of a timer for each.

use super::activity::{Activity, Limits, Mode, Verdict};
use crate::{context::Context, drain::Group, goodbye::Goodbyes, phase::Phase, report::Level};
use hyper::{
    StatusCode,
    header::{CONNECTION, HeaderValue},
    http::response::Parts,
};
use slab::Slab;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, Once, PoisonError,
        atomic::{
            AtomicBool, AtomicU8, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
            fence,
        },
    },
    task::Waker,
    time::Duration,
};
use tokio::sync::Notify;
#[cfg(feature = "http2")]
use tokio::time::Instant;

/// The connections of one server.
pub(crate) struct Server {
    pub(crate) context: Context,
    pub(crate) limits: Limits,
    group: Group,
    mode: AtomicU8,
    goodbyes: Goodbyes,
    slots: Mutex<Slab<Slot>>,
    left: Notify,
    /// Accepting pauses for want of file descriptors.
    starved: AtomicBool,
    /// Some connection waits for its client, or did at the last sweep. Without one there is no sweep and no timer,
    /// which would cost the runtime a look at the clock whenever it falls asleep.
    sweeping: AtomicBool,
    armed: Notify,
    told: Once,
    /// How many connections were cut because their time was up.
    late: AtomicUsize,
}

struct Slot {
    conn: Arc<Conn>,
    waker: Option<Waker>,
}

impl Server {
    pub(crate) fn new(context: Context, limits: Limits, name: &str) -> Arc<Self> {
        let group = context.0.tracker.group(format!("connections on {name}"));
        Arc::new(Self {
            context,
            limits,
            group,
            mode: AtomicU8::new(Mode::Serve as u8),
            goodbyes: Goodbyes::default(),
            slots: Mutex::default(),
            left: Notify::new(),
            starved: AtomicBool::new(false),
            sweeping: AtomicBool::new(false),
            armed: Notify::new(),
            told: Once::new(),
            late: AtomicUsize::new(0),
        })
    }

    pub(crate) fn mode(&self) -> Mode {
        match self.mode.load(Relaxed) {
            0 => Mode::Serve,
            1 => Mode::Grace,
            2 => Mode::Drain,
            _ => Mode::Cut,
        }
    }

    /// Tells every connection, present and to come.
    pub(crate) fn set_mode(&self, mode: Mode) {
        if self.mode() < mode {
            self.mode.store(mode as u8, Relaxed);
            self.wake_all();
        }
    }

    /// The mode that goes with a phase.
    pub(crate) fn follow(&self, phase: Phase) {
        self.set_mode(match phase {
            Phase::Starting | Phase::Serving => Mode::Serve,
            Phase::Grace => Mode::Grace,
            Phase::Draining => Mode::Drain,
            Phase::Hooks | Phase::Stopped => Mode::Cut,
        });
    }

    /// A request for this path has arrived: of interest in grace alone.
    #[inline]
    pub(crate) fn note_traffic(&self, path: &str) {
        if self.mode() != Mode::Serve {
            self.note_traffic_in_grace(path);
        }
    }

    #[cold]
    fn note_traffic_in_grace(&self, path: &str) {
        if self.mode() == Mode::Grace {
            self.context.0.note_traffic(path);
        }
    }

    pub(crate) fn join(self: &Arc<Self>) -> Arc<Conn> {
        self.group.enter();
        let mut slots = self.lock();
        if slots.len() == slots.capacity() {
            // By an eighth: doubling would leave half of the list empty.
            let more = (slots.len() / 8).max(64);
            slots.reserve_exact(more);
        }
        let vacant = slots.vacant_entry();
        let conn = Arc::new(Conn { server: self.clone(), activity: Activity::new(), slot: vacant.key() as u32 });
        vacant.insert(Slot { conn: conn.clone(), waker: None });
        conn
    }

    fn leave(&self, slot: u32) {
        let gone = self.lock().remove(slot as usize);
        drop(gone); // outside of the lock
        let members = self.group.leave();
        // Only where somebody waits for it: waking a task for each of thousands costs more than ending them.
        if members == 0 || members + 1 >= self.limits.connections || self.starved.load(Relaxed) {
            self.left.notify_one();
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.group.count()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.count() < self.limits.connections
    }

    /// Says whether accepting pauses for want of file descriptors: then every connection that ends is of interest.
    pub(crate) fn set_starved(&self, starved: bool) {
        self.starved.store(starved, Relaxed);
    }

    /// Resolves when a connection has ended that somebody waits for: the last one, one that makes room under the
    /// limit, any while accepting pauses. At once if one has since the last time.
    pub(crate) async fn one_left(&self) {
        self.left.notified().await;
    }

    pub(crate) async fn emptied(&self) {
        while self.count() > 0 {
            self.one_left().await;
        }
    }

    /// Says how many clients were cut in the drain for not sending or not reading any more.
    pub(crate) fn tell_who_was_late(&self) {
        let late = self.late.load(Relaxed);
        if late > 0 {
            let text = format!(
                "{late} {} were cut in the drain: their clients had stopped sending or reading",
                self.group.name()
            );
            self.context.0.recorder.note(Level::Warn, text);
        }
    }

    /// Says something once in the life of this server.
    pub(crate) fn say_once(&self, say: impl FnOnce()) {
        self.told.call_once(say);
    }

    fn wake_all(&self) {
        // Collected first: a woken task may end here and now, and take the lock.
        let wakers: Vec<_> = self.lock().iter().filter_map(|(_, slot)| slot.waker.clone()).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Resolves when sweeps are needed again, at once if that has happened since the last time.
    pub(crate) async fn armed(&self) {
        self.armed.notified().await;
    }

    /// A connection waits for its client: sweeps are needed.
    fn arm(&self) {
        // Between its state's store and this load, as in the sweep between the store and the loads of states: else
        // both could read what was before, and nobody would sweep.
        fence(SeqCst);
        if !self.sweeping.load(Relaxed) && !self.sweeping.swap(true, Relaxed) {
            self.armed.notify_one();
        }
    }

    /// Lets every connection grow older by the time since the last sweep, and wakes those whose time is up.
    /// Returns whether another sweep is needed.
    pub(crate) fn sweep(&self, passed: Duration) -> bool {
        let passed = passed.as_millis() as u32;
        let draining = self.mode() >= Mode::Drain;
        let mut limits = self.limits;
        if draining {
            // A client that has stopped sending must not cost the others their drain.
            let half = self.context.0.plan.drain / 2;
            (limits.header, limits.body) = (limits.header.min(half), limits.body.min(half));
        }
        // Before they are looked at: one that begins to wait afterwards arms again.
        self.sweeping.store(false, Relaxed);
        fence(SeqCst);
        let slots = self.lock();
        let due = slots.iter().filter(|(_, slot)| slot.conn.activity.grow_older(passed, &limits, draining));
        let wakers: Vec<_> = due.filter_map(|(_, slot)| slot.waker.clone()).collect();
        let go_on = slots.iter().any(|(_, slot)| slot.conn.activity.waits_for_client());
        if go_on {
            self.sweeping.store(true, Relaxed);
        }
        drop(slots);
        wakers.into_iter().for_each(Waker::wake);
        go_on
    }

    /// Whether the answer that is about to be sent should ask its client to move.
    #[cold]
    fn says_goodbye(&self) -> bool {
        self.context.phase() >= Phase::Draining || self.mode() >= Mode::Drain || self.goodbyes.next(&self.context)
    }

    /// When this HTTP/2 connection is to say GOAWAY.
    #[cfg(feature = "http2")]
    pub(crate) fn moment_in_grace(&self) -> Instant {
        self.goodbyes.moment(&self.context)
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Slot>> {
        // Nothing of a user's runs under this lock but the cloning of wakers.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection, as its server sees it.
pub(crate) struct Conn {
    pub(crate) server: Arc<Server>,
    pub(crate) activity: Activity,
    slot: u32,
}

impl Conn {
    /// Remembers the task to wake.
    pub(crate) fn register(&self, waker: &Waker) {
        if let Some(slot) = self.server.lock().get_mut(self.slot as usize) {
            slot.waker = Some(waker.clone());
        }
    }

    /// Whether the socket should be asked itself when the runtime knows of nothing to read.
    #[inline]
    pub(crate) fn wants_certainty(&self) -> bool {
        self.server.mode() >= Mode::Drain || self.activity.is_suspect()
    }

    /// An answer is about to be sent: it may hand the connection over to another protocol, or have to say
    /// `Connection: close`.
    #[inline]
    pub(crate) fn on_answer(&self, answer: &mut Parts, is_connect: bool) {
        if is_connect || answer.status == StatusCode::SWITCHING_PROTOCOLS || self.is_leaving() {
            self.on_notable_answer(answer, is_connect);
        }
    }

    #[cold]
    fn on_notable_answer(&self, answer: &mut Parts, is_connect: bool) {
        if answer.status == StatusCode::SWITCHING_PROTOCOLS || (is_connect && answer.status.is_success()) {
            self.activity.on_upgrade();
        } else if self.is_leaving() && !self.activity.is_http2() && self.server.says_goodbye() {
            answer.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    #[inline]
    fn is_leaving(&self) -> bool {
        // The phase itself: the mode follows it when the server's task runs, which may be late.
        self.server.context.phase().is_terminating() || self.server.mode() != Mode::Serve
    }

    /// What the connection's task should do now, after it has read all that there was.
    #[inline]
    pub(crate) fn verdict(&self) -> Verdict {
        let mode = self.server.mode();
        match mode < Mode::Drain && self.activity.is_idle() {
            true => Verdict::GoOn,
            false => self.verdict_on_the_busy(mode),
        }
    }

    #[cold]
    fn verdict_on_the_busy(&self, mode: Mode) -> Verdict {
        if self.activity.waits_for_client() {
            self.server.arm();
        }
        if mode >= Mode::Drain && self.activity.is_over() {
            self.server.late.fetch_add(1, Relaxed);
        }
        self.activity.verdict(mode)
    }
}

/// The membership of a connection in its server, which ends when this is dropped, whoever owns it by then.
pub(crate) struct Member(pub(crate) Arc<Conn>);

impl Drop for Member {
    fn drop(&mut self) {
        self.0.server.leave(self.0.slot);
    }
}

/// A request between its arrival and the end of its answer.
pub(crate) struct Exchange(pub(crate) Arc<Conn>);

impl Drop for Exchange {
    #[inline]
    fn drop(&mut self) {
        self.0.activity.on_answered();
    }
}
