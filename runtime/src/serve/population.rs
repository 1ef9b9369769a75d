//! The connections of one server: counted, aged, woken and cut.
//!
//! A request touches only its own connection's [`Conn`], with plain loads and stores of relaxed atomics; the shared
//! list is locked when a connection comes and when it goes. Once a second the server's task looks at every
//! connection, which is what timeouts cost instead of a timer for each.

use crate::{context::Context, drain::Group, phase::Phase};
use hyper::{Request, body::Body};
use slab::Slab;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, Once, PoisonError,
        atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    task::Waker,
    time::Duration,
};
use tokio::sync::Notify;
#[cfg(feature = "http2")]
use tokio::time::Instant;

/// What a server tells its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Mode {
    /// Serve on.
    Serve,
    /// Serve on, and tell clients to move.
    Grace,
    /// Finish what was begun.
    Drain,
    /// End now.
    Cut,
}

/// How long clients may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) header: Duration,
    pub(crate) body: Duration,
    pub(crate) connections: usize,
}

/// How long a new connection may stay silent once the drain has begun: its first request may be on the wire.
const FRESH_IN_DRAIN: u32 = 500;

/// How long an HTTP/2 connection without a stream may take to end after its GOAWAY: a client that is gone never does.
const IDLE_HTTP2_IN_DRAIN: u32 = 1000;

/// The connections of one server.
pub(crate) struct Server {
    pub(crate) context: Context,
    pub(crate) limits: Limits,
    group: Group,
    mode: AtomicU8,
    /// Where the next answer stands in the sequence that decides which answers say goodbye.
    turn: AtomicU64,
    slots: Mutex<Slab<Slot>>,
    left: Notify,
    told: Once,
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
            turn: AtomicU64::new(0),
            slots: Mutex::default(),
            left: Notify::new(),
            told: Once::new(),
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

    pub(crate) fn join(self: &Arc<Self>) -> Arc<Conn> {
        self.group.enter();
        let mut slots = self.lock();
        let vacant = slots.vacant_entry();
        let conn = Arc::new(Conn {
            server: self.clone(),
            slot: vacant.key() as u32,
            activity: AtomicU32::new(FRESH),
            received: AtomicU32::new(0),
            expected: AtomicU32::new(0),
        });
        vacant.insert(Slot { conn: conn.clone(), waker: None });
        conn
    }

    fn leave(&self, slot: u32) {
        let gone = self.lock().remove(slot as usize);
        drop(gone); // outside of the lock
        self.group.leave();
        self.left.notify_one();
    }

    pub(crate) fn count(&self) -> usize {
        self.group.count()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.count() < self.limits.connections
    }

    /// Resolves when a connection has ended, at once if one has since the last time.
    pub(crate) async fn one_left(&self) {
        self.left.notified().await;
    }

    pub(crate) async fn emptied(&self) {
        while self.count() > 0 {
            self.one_left().await;
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

    /// Lets every connection grow older by the time since the last sweep, and wakes those whose time is up.
    pub(crate) fn sweep(&self, passed: Duration) {
        let passed = passed.as_millis() as u32;
        let draining = self.mode() >= Mode::Drain;
        let mut limits = self.limits;
        if draining {
            // A client that has stopped sending must not cost the others their drain.
            let half = self.context.0.plan.drain / 2;
            (limits.header, limits.body) = (limits.header.min(half), limits.body.min(half));
        }
        let slots = self.lock();
        let due = slots.iter().filter(|(_, slot)| slot.conn.grow_older(passed, &limits, draining));
        let wakers: Vec<_> = due.filter_map(|(_, slot)| slot.waker.clone()).collect();
        drop(slots);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether the answer that is about to be sent should ask its client to move: ever more likely over the first
    /// half of grace, certain from then on.
    #[cold]
    fn says_goodbye(&self) -> bool {
        if self.mode() >= Mode::Drain {
            return true;
        }
        let half = self.context.0.plan.grace.as_secs_f64() / 2.0;
        let passed = self.context.since_shutdown().unwrap_or_default().as_secs_f64();
        // Steps of the golden ratio fill the unit interval evenly, whatever the share of answers is.
        let turn = self.turn.fetch_add(0x9E37_79B9_7F4A_7C15, Relaxed);
        turn as f64 / u64::MAX as f64 * half <= passed
    }

    /// A moment in the grace period, evenly spread over those who ask; a past one if grace is over.
    #[cfg(feature = "http2")]
    pub(crate) fn moment_in_grace(&self) -> Instant {
        let turn = self.turn.fetch_add(0x9E37_79B9_7F4A_7C15, Relaxed);
        let began = self.context.0.window.get().map_or_else(Instant::now, |window| window.began);
        began + self.context.0.plan.grace.mul_f64(turn as f64 / u64::MAX as f64)
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Slot>> {
        // Only `Slab`'s own methods run under this lock.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// What a connection is doing: the lowest three bits of `Conn::activity`.
const KIND: u32 = 0b111;
/// Nothing was ever read from it.
const FRESH: u32 = 0;
/// Part of a request's head has arrived, or may have.
const HEAD: u32 = 1;
/// A request is being handled or answered, and all of its body has arrived.
const BUSY: u32 = 2;
/// A request is being handled or answered, and more of its body is to come, or may be.
const BODY: u32 = 3;
/// Between two requests.
const IDLE: u32 = 4;
/// It speaks another protocol now; its new owner decides when it ends.
const UPGRADED: u32 = 5;
/// It speaks HTTP/2, whose own rules say when it is idle.
const HTTP2: u32 = 6;
/// Its time is up.
const OVER: u32 = 7;

// Flags beside the kind.
/// More has arrived than the request that is being handled: the next one, pipelined.
const PIPELINED: u32 = 1 << 3;
/// The last request was answered before its body had arrived, as far as is known.
const EARLY: u32 = 1 << 4;
/// Nothing of the body has arrived for too long: a look at the socket itself decides.
const SUSPECT: u32 = 1 << 5;

/// Above these: for how many milliseconds it has been doing that, counted by the sweep.
const AGE: u32 = 8;

/// One connection, as its server sees it. Written by the connection's own task, except for the age and the verdict
/// of the sweep, which give way to whatever the task writes.
pub(crate) struct Conn {
    pub(crate) server: Arc<Server>,
    slot: u32,
    activity: AtomicU32,
    /// The bytes that have arrived of the request at hand, its head included; of HTTP/2 the open streams.
    received: AtomicU32,
    /// How many bytes the request at hand has at the least, its head included; 0 if its body's length is not known.
    expected: AtomicU32,
}

/// What a connection's task is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Go on.
    GoOn,
    /// Take no further request.
    Finish,
    /// End now, without another word.
    End,
}

impl Conn {
    fn kind(&self) -> u32 {
        self.activity.load(Relaxed) & KIND
    }

    /// Remembers the task to wake.
    pub(crate) fn register(&self, waker: &Waker) {
        if let Some(slot) = self.server.lock().get_mut(self.slot as usize) {
            slot.waker = Some(waker.clone());
        }
    }

    /// Its stream is closed: it counts no more.
    pub(crate) fn leave(&self) {
        self.server.leave(self.slot);
    }

    /// Bytes have arrived.
    #[inline]
    pub(crate) fn on_read(&self, bytes: usize) {
        let now = self.activity.load(Relaxed);
        match now & KIND {
            FRESH | IDLE if bytes > 0 => {
                self.received.store(bytes as u32, Relaxed);
                self.activity.store(HEAD, Relaxed);
            }
            HEAD | BODY => self.on_more(now, bytes),
            BUSY if bytes > 0 => self.activity.store(now | PIPELINED, Relaxed),
            _ => {}
        }
    }

    #[cold]
    fn on_more(&self, now: u32, bytes: usize) {
        let received = self.received.load(Relaxed).saturating_add(bytes as u32);
        self.received.store(received, Relaxed);
        if now & KIND == BODY && bytes > 0 {
            let expected = self.expected.load(Relaxed);
            self.activity.store(if expected != 0 && received >= expected { BUSY } else { BODY }, Relaxed);
        }
    }

    /// The socket was asked itself, and it holds nothing.
    pub(crate) fn on_nothing_there(&self) {
        let now = self.activity.load(Relaxed);
        if now & (KIND | SUSPECT) == BODY | SUSPECT {
            self.activity.store(OVER, Relaxed);
        }
    }

    /// Whether the socket should be asked itself when the runtime knows of nothing to read.
    #[inline]
    pub(crate) fn wants_certainty(&self) -> bool {
        self.server.mode() >= Mode::Drain || self.activity.load(Relaxed) & SUSPECT != 0
    }

    /// A request has arrived.
    #[inline]
    pub(crate) fn on_request<B: Body>(&self, request: &Request<B>) {
        if self.kind() == HTTP2 {
            // Its streams are counted where the bytes of HTTP/1.1 are.
            self.received.fetch_add(1, Relaxed);
        } else if request.body().is_end_stream() {
            self.activity.store(BUSY, Relaxed);
        } else {
            self.on_body(request);
        }
    }

    #[cold]
    fn on_body<B: Body>(&self, request: &Request<B>) {
        let body = request.body().size_hint().exact();
        let expected =
            body.and_then(|body| u32::try_from(body.saturating_add(shortest_head(request))).ok()).unwrap_or(0);
        self.expected.store(expected, Relaxed);
        let complete = expected != 0 && self.received.load(Relaxed) >= expected;
        self.activity.store(if complete { BUSY } else { BODY }, Relaxed);
    }

    /// The request has been answered, or given up on.
    #[inline]
    fn on_answered(&self) {
        let now = self.activity.load(Relaxed);
        match now & (KIND | PIPELINED) {
            BUSY => self.activity.store(IDLE, Relaxed),
            BODY => self.activity.store(IDLE | EARLY, Relaxed),
            pipelined if pipelined & KIND == BUSY => {
                // How much of the next request has arrived is not known: as good as all of it, for `expected`.
                self.received.store(u32::MAX, Relaxed);
                self.activity.store(HEAD, Relaxed);
            }
            HTTP2 => {
                self.received.fetch_sub(1, Relaxed);
            }
            _ => {}
        }
    }

    /// The answer hands the connection over to another protocol.
    pub(crate) fn on_upgrade(&self) {
        self.activity.store(UPGRADED, Relaxed);
    }

    #[cfg(feature = "http2")]
    pub(crate) fn on_http2(&self) {
        self.received.store(0, Relaxed);
        self.activity.store(HTTP2, Relaxed);
    }

    /// Whether the answer that is about to be sent should say `Connection: close`.
    #[inline]
    pub(crate) fn says_goodbye(&self) -> bool {
        self.server.mode() != Mode::Serve && self.kind() != HTTP2 && self.server.says_goodbye()
    }

    /// Whether the client may still be sending when the connection is closed.
    pub(crate) fn may_receive_more(&self) -> bool {
        let now = self.activity.load(Relaxed);
        now & (EARLY | PIPELINED) != 0 || matches!(now & KIND, HEAD | BODY)
    }

    /// What the connection's task should do now, after it has read all that there was.
    pub(crate) fn verdict(&self) -> Verdict {
        let mode = self.server.mode();
        let now = self.activity.load(Relaxed);
        match now & KIND {
            OVER => Verdict::End,
            _ if mode == Mode::Cut => Verdict::End,
            _ if mode < Mode::Drain => Verdict::GoOn,
            // Its request is on the wire: it is answered, and the answer says goodbye.
            HEAD => Verdict::GoOn,
            FRESH if now >> AGE < FRESH_IN_DRAIN => Verdict::GoOn,
            _ => Verdict::Finish,
        }
    }

    /// Grows older; whether its task should look.
    fn grow_older(&self, passed: u32, limits: &Limits, draining: bool) -> bool {
        let now = self.activity.load(Relaxed);
        let limit = match now & KIND {
            FRESH if draining => FRESH_IN_DRAIN,
            FRESH => u32::MAX >> AGE,
            HEAD => limits.header.as_millis().min(u128::from(u32::MAX >> AGE)) as u32,
            BODY => limits.body.as_millis().min(u128::from(u32::MAX >> AGE)) as u32,
            // It was told to go, it has nothing left to wait for, and it does not go.
            HTTP2 if draining && self.received.load(Relaxed) == 0 => IDLE_HTTP2_IN_DRAIN,
            _ => return false,
        };
        let age = (now >> AGE).saturating_add(passed).min(u32::MAX >> AGE);
        let due = age >= limit;
        let verdict = match now & KIND {
            HEAD | HTTP2 if due => OVER,
            BODY if due => BODY | SUSPECT,
            _ => now & !(u32::MAX << AGE),
        };
        // If the task has written meanwhile, its word counts.
        self.activity.compare_exchange(now, verdict | age << AGE, Relaxed, Relaxed).is_ok() && due
    }
}

/// The shortest head that this request can have had: taken too short, a body's last bytes are not waited for;
/// taken too long, a complete request would be cut.
fn shortest_head<B>(request: &Request<B>) -> u64 {
    let line = request.method().as_str().len() + request.uri().path().len() + " HTTP/1.1\r\n".len() + 1;
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ":\r\n".len());
    (line + headers.sum::<usize>() + "\r\n".len()) as u64
}

/// A request between its arrival and the end of its answer.
pub(crate) struct Exchange(pub(crate) Arc<Conn>);

impl Drop for Exchange {
    #[inline]
    fn drop(&mut self) {
        self.0.on_answered();
    }
}
