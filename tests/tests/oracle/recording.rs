//! What the handler of one run sees, and the gate at which it waits.

use crate::handler::Replay;
use hyper::{Request, body::Incoming};
use std::{
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};
use tokio::sync::{Notify, Semaphore};

/// How far a handler has got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    #[default]
    Called,
    Reading,
    Waiting,
    Responded,
    /// The handler was dropped before it responded.
    Cancelled,
}

/// How the body of a request has ended for its handler.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    #[default]
    Unread,
    Half,
    Whole,
    Failed(String),
}

/// What a handler has seen of one request.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) method: String,
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: String,
    pub(crate) body_end: BodyEnd,
    pub(crate) stage: Stage,
    pub(crate) tunnel: Vec<u8>,
    pub(crate) tunnel_end: &'static str,
}

impl Seen {
    /// Whether the request has a body that its handler has not read to its end before it responded.
    pub(crate) fn leaves_a_body(&self) -> bool {
        let delimits =
            |header: &String| header.starts_with("content-length:") || header.starts_with("transfer-encoding:");
        self.headers.iter().any(delimits) && (self.body_end != BodyEnd::Whole || self.line.contains("/keep"))
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, headers, stage, body_end, .. } = self;
        write!(f, "[{line} {headers:?} {stage:?}, body {body_end:?} `{}`", self.body.escape_ascii())?;
        write!(f, " {}, tunnel {} `{}`]", self.trailers, self.tunnel_end, self.tunnel.escape_ascii())
    }
}

/// The recording of one run.
pub(crate) struct Recording {
    seen: Mutex<Vec<Seen>>,
    /// The step of the script that is being done.
    step: AtomicUsize,
    /// In which step each handler has responded.
    responded: Mutex<Vec<Option<usize>>>,
    gate: Semaphore,
    pub(crate) replay: Replay,
    /// The client begins or stops to read.
    pub(crate) changed: Notify,
    /// Counts whatever happens, so that the driver knows when nothing does.
    events: AtomicU64,
}

/// A handler at work, until it is dropped.
pub(crate) struct Call<'r> {
    recording: &'r Recording,
    ordinal: usize,
    pub(crate) is_over: bool,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.recording.stage(self.ordinal, Stage::Cancelled);
        }
    }
}

impl Recording {
    pub(crate) fn new(replay: Replay) -> Self {
        Self {
            seen: Mutex::default(),
            step: AtomicUsize::new(0),
            responded: Mutex::default(),
            gate: Semaphore::new(0),
            replay,
            changed: Notify::new(),
            events: AtomicU64::new(0),
        }
    }

    pub(crate) fn begin(&self, request: &Request<Incoming>) -> usize {
        let headers = request.headers().iter();
        let seen = Seen {
            line: format!("{} {} {:?}", request.method(), request.uri(), request.version()),
            method: request.method().to_string(),
            headers: headers.map(|(name, value)| format!("{name}: {value:?}")).collect(),
            ..Seen::default()
        };
        self.note();
        self.responded.lock().unwrap().push(None);
        let mut all = self.seen.lock().unwrap();
        all.push(seen);
        all.len() - 1
    }

    pub(crate) fn call(&self, ordinal: usize) -> Call<'_> {
        Call { recording: self, ordinal, is_over: false }
    }

    pub(crate) fn record(&self, ordinal: usize, change: impl FnOnce(&mut Seen)) {
        self.note();
        change(&mut self.seen.lock().unwrap()[ordinal]);
    }

    pub(crate) fn stage(&self, ordinal: usize, stage: Stage) {
        self.record(ordinal, |seen| seen.stage = stage);
    }

    /// The handler returns its response.
    pub(crate) fn responds(&self, ordinal: usize) {
        self.responded.lock().unwrap()[ordinal] = Some(self.step.load(Relaxed));
        self.stage(ordinal, Stage::Responded);
    }

    pub(crate) fn responded(&self) -> Vec<Option<usize>> {
        self.responded.lock().unwrap().clone()
    }

    pub(crate) fn begin_step(&self, step: usize) {
        self.step.store(step, Relaxed);
    }

    pub(crate) fn body_end(&self, ordinal: usize, end: BodyEnd) {
        self.record(ordinal, |seen| seen.body_end = end);
    }

    /// Waits for a [release](Self::release), first come, first served.
    pub(crate) async fn gate(&self) {
        self.gate.acquire().await.unwrap().forget();
        self.note();
    }

    pub(crate) fn release(&self) {
        self.gate.add_permits(1);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Something has happened.
    pub(crate) fn note(&self) {
        self.events.fetch_add(1, Relaxed);
    }

    pub(crate) fn events(&self) -> u64 {
        self.events.load(Relaxed)
    }
}
