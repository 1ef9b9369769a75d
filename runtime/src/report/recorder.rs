//! The timeline as it grows: appended here, told to whoever listens, and read at the end.

use crate::report::timeline::{Entry, Level, What};
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// How many entries are kept from before a shutdown.
const KEPT: usize = 1000;

/// Appends to the timeline. Recording never blocks on output: the sink hands entries on.
pub(crate) struct Recorder {
    started: Instant,
    entries: Mutex<Vec<Entry>>,
    sink: Box<dyn Fn(Entry) + Send + Sync>,
}

impl Recorder {
    /// A recorder that counts from now and tells every entry to `sink`, which must not block.
    pub(crate) fn new(sink: impl Fn(Entry) + Send + Sync + 'static) -> Self {
        Self { started: Instant::now(), entries: Mutex::default(), sink: Box::new(sink) }
    }

    /// Appends an entry.
    pub(crate) fn record(&self, level: Level, what: What) {
        let entry = Entry { at: self.started.elapsed(), level, what };
        let mut entries = self.lock();
        // A long life with many restarts and flapping checks is not kept: what counts is the shutdown.
        if entries.len() >= KEPT
            && !entries.iter().any(|entry| matches!(&entry.what, What::Phase(phase, _) if phase.is_terminating()))
        {
            entries.drain(KEPT / 4..KEPT / 2);
        }
        entries.push(entry.clone());
        drop(entries);
        (self.sink)(entry);
    }

    /// Appends a line that changes nothing.
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
        // Pushing and cloning leave the list whole whatever happens.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
