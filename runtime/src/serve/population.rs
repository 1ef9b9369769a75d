//! The connections of one server: counted, aged, woken and cut.
//!
//! A request touches only its own connection's [`Conn`], in relaxed atomics; the shared list is locked when a connection
//! comes, when it goes, and where the owner of an upgraded one waits for it. While a client is in the middle of a
//! request, once a second, the server's task looks at every connection, which is what timeouts cost instead of a timer
//! for each.

use super::{
    activity::Activity,
    brings::{self, Brings},
    mode::{Limits, Mode, Verdict},
    offers::Offers,
    protocols::Protocols,
};
use crate::{
    context::Context,
    drain::phase_observers::PhaseObserver,
    drain::tracker::{CONNECTIONS, Group},
    phase::Phase,
    report::timeline::Level,
    serve::goodbye::Goodbyes,
};
use hyper::{Request, body::Body};
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
use tokio::{sync::Notify, time::Instant};

/// The connections of one server.
pub(crate) struct Server {
    pub(crate) context: Context,
    pub(crate) limits: Limits,
    pub(crate) protocols: Protocols,
    group: Group,
    /// What the connections are to know.
    mode: AtomicU8,
    /// What they were woken for.
    woken_for: AtomicU8,
    goodbyes: Goodbyes,
    pub(crate) offers: Offers,
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
    pub(crate) fn new(context: Context, limits: Limits, protocols: Protocols, name: &str) -> Arc<Self> {
        let group = context.0.tracker.group(format!("{CONNECTIONS}{name}"));
        let server = Arc::new(Self {
            context,
            limits,
            protocols,
            group,
            mode: AtomicU8::new(Mode::Serve as u8),
            woken_for: AtomicU8::new(Mode::Serve as u8),
            goodbyes: Goodbyes::default(),
            offers: Offers::default(),
            slots: Mutex::default(),
            left: Notify::new(),
            starved: AtomicBool::new(false),
            sweeping: AtomicBool::new(false),
            armed: Notify::new(),
            told: Once::new(),
            late: AtomicUsize::new(0),
        });
        server.context.0.phase_observers.add(&server);
        server.observe(server.context.phase()); // whichever comes first
        server
    }

    pub(crate) fn mode(&self) -> Mode {
        match self.mode.load(Relaxed) {
            0 => Mode::Serve,
            1 => Mode::Grace,
            2 => Mode::Farewell,
            3 => Mode::Drain,
            _ => Mode::Cut,
        }
    }

    /// Whether nothing is to be told.
    #[inline]
    pub(crate) fn is_serving(&self) -> bool {
        self.mode.load(Relaxed) == Mode::Serve as u8
    }

    /// Tells every connection, present and to come.
    pub(crate) fn set_mode(&self, mode: Mode) {
        self.mode.fetch_max(mode as u8, Relaxed);
        if self.woken_for.fetch_max(mode as u8, Relaxed) < mode as u8 {
            // In grace, those that wait for their next request hear of it when that comes.
            self.wake(|activity| mode >= Mode::Drain || activity.is_unanswered() || activity.is_http2());
        }
    }

    /// The moment in grace from which on every answer says goodbye, if there is a shutdown.
    pub(crate) fn farewell(&self) -> Option<Instant> {
        self.goodbyes.farewell(&self.context)
    }

    pub(crate) fn join(self: &Arc<Self>) -> Member {
        self.group.enter();
        let mut slots = self.lock();
        if slots.len() == slots.capacity() {
            // By a sixteenth: doubling would leave half of the list empty.
            let more = (slots.len() / 16).max(64);
            slots.reserve_exact(more);
        }
        let vacant = slots.vacant_entry();
        let slot = vacant.key() as u32;
        let conn = Arc::new(Conn { server: self.clone(), activity: Activity::new() });
        vacant.insert(Slot { conn: conn.clone(), waker: None });
        Member { conn, slot, read: 0 }
    }

    /// Remembers the task of the connection in this slot, to wake it.
    pub(crate) fn register(&self, slot: u32, waker: &Waker) {
        if let Some(slot) = self.lock().get_mut(slot as usize) {
            match &mut slot.waker {
                Some(known) => known.clone_from(waker), // nothing, if it is the same
                unknown => *unknown = Some(waker.clone()),
            }
        }
    }

    fn leave(&self, slot: u32) {
        let gone = self.lock().remove(slot as usize);
        drop(self.offers.take(&gone.conn.activity));
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

    fn wake(&self, whom: impl Fn(&Activity) -> bool) {
        // Collected first: a woken task may end here and now, and take the lock.
        let wakers: Vec<_> = {
            let slots = self.lock();
            let chosen = slots.iter().filter(|(_, slot)| whom(&slot.conn.activity));
            chosen.filter_map(|(_, slot)| slot.waker.clone()).collect()
        };
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

    /// Whether the request that arrives is to be its connection's last.
    fn says_goodbye(&self) -> bool {
        self.mode() >= Mode::Farewell || self.goodbyes.next(&self.context)
    }

    /// When this HTTP/2 connection is to say GOAWAY.
    #[cfg(feature = "http2")]
    pub(crate) fn moment_in_grace(&self) -> Instant {
        self.goodbyes.moment(&self.context)
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Slot>> {
        // Nothing of a user's runs under this lock but the cloning and dropping of wakers.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PhaseObserver for Server {
    fn observe(&self, phase: Phase) {
        self.mode.fetch_max(Mode::of(phase) as u8, Relaxed);
    }
}

/// One connection, as its server sees it.
pub(crate) struct Conn {
    pub(crate) server: Arc<Server>,
    pub(crate) activity: Activity,
}

impl Conn {
    /// Whether the socket should be asked itself when the runtime knows of nothing to read.
    pub(crate) fn wants_certainty(&self) -> bool {
        self.activity.is_suspect() || self.server.mode() >= Mode::Drain
    }

    /// Whether more must be known of a read than how many bytes it brings.
    #[inline]
    pub(crate) fn is_watchful(&self) -> bool {
        self.activity.is_notable() || !self.server.is_serving()
    }

    /// Whether what has arrived begins a request that is to be this connection's last.
    pub(crate) fn withholds(&self, head: &[u8]) -> bool {
        if head.is_empty() {
            return false;
        }
        // Behind an answer that began before its request's body had ended, what comes may be the rest of that.
        let begins = self.activity.is_between_requests() || (self.activity.is_early() && brings::is_head(head));
        begins && self.is_last(head)
    }

    /// Whether the request that begins so is to be this connection's last.
    pub(crate) fn is_last(&self, head: &[u8]) -> bool {
        // An answer that hands the connection over has nothing to say about it.
        !self.server.is_serving() && !brings::asks_to_upgrade(head) && self.server.says_goodbye()
    }

    /// A request of HTTP/1.1 has arrived. Returns whether it offers an upgrade.
    #[inline(always)]
    pub(crate) fn on_request<B: Body>(&self, request: &Request<B>) -> bool {
        // What nearly every request is while the server serves: one without a body.
        if request.body().is_end_stream() && request.extensions().is_empty() && self.server.is_serving() {
            self.activity.on_plain_request();
            return false;
        }
        self.on_special_request(request)
    }

    #[cold]
    #[inline(never)]
    fn on_special_request<B: Body>(&self, request: &Request<B>) -> bool {
        let brings = Brings::of(request);
        self.activity.on_request(brings);
        self.note_request(request.uri().path());
        brings.upgrade.is_some()
    }

    /// A request for this path has arrived: of interest in grace alone.
    #[cold]
    pub(crate) fn note_request(&self, path: &str) {
        if matches!(self.server.mode(), Mode::Grace | Mode::Farewell) {
            self.server.context.0.note_request(path);
        }
    }

    /// What the connection's task should do now, after it has read all that there was.
    pub(crate) fn verdict(&self) -> Verdict {
        let mode = self.server.mode();
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
pub(crate) struct Member {
    pub(crate) conn: Arc<Conn>,
    pub(crate) slot: u32,
    /// How much the last read has brought: here, because here is room for it.
    pub(crate) read: u32,
}

impl Member {
    /// Remembers the task of this connection, to wake it.
    pub(crate) fn register(&self, waker: &Waker) {
        self.conn.server.register(self.slot, waker);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.conn.server.leave(self.slot);
    }
}
