//! The recorder: appends to the timeline, and passes every entry on.

use crate::report::timeline::{Entry, Level, What};
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// How many entries from before a shutdown are kept.
const KEPT: usize = 1000;

/// Appends to the timeline. Recording does not block on output: the sink only queues entries.
pub(crate) struct Recorder {
    started: Instant,
    entries: Mutex<Vec<Entry>>,
    sink: Box<dyn Fn(Entry) + Send + Sync>,
}

impl Recorder {
    /// A recorder whose clock starts now, and which passes every entry to `sink`. The sink must not block.
    pub(crate) fn new(sink: impl Fn(Entry) + Send + Sync + 'static) -> Self {
        Self { started: Instant::now(), entries: Mutex::default(), sink: Box::new(sink) }
    }

    /// Appends an entry.
    pub(crate) fn record(&self, level: Level, what: What) {
        let entry = Entry { at: self.started.elapsed(), level, what };
        let mut entries = self.lock();
        // Bounded for long-lived processes with restarting tasks and flapping checks; a shutdown is kept whole.
        if entries.len() >= KEPT
            && !entries.iter().any(|entry| matches!(&entry.what, What::Phase(phase, _) if phase.is_terminating()))
        {
            entries.drain(KEPT / 4..KEPT / 2);
        }
        entries.push(entry.clone());
        drop(entries);
        (self.sink)(entry);
    }

    /// Appends a line of text.
    pub(crate) fn note(&self, level: Level, text: impl Into<String>) {
        self.record(level, What::Note(text.into()));
    }

    /// When the timeline began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Everything so far.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        // Pushing and cloning leave the list whole even if they panic.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
