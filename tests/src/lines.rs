//! Collects the output of a process by lines.

use crate::PATIENCE;
use std::{
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

/// The lines of one output stream of a process, collected by a separate thread.
#[derive(Clone, Default)]
pub struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    /// When the stream ended.
    closed: Option<Instant>,
}

impl Lines {
    /// Collects the lines of this stream until it ends.
    pub fn of(output: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let collected = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                collected.lock().lines.push(String::from_utf8_lossy(&line).into_owned());
                collected.0.changed.notify_all();
            }
            collected.lock().closed = Some(Instant::now());
            collected.0.changed.notify_all();
        });
        lines
    }

    /// A stream that is not collected.
    pub(crate) fn none() -> Self {
        let lines = Self::default();
        lines.lock().closed = Some(Instant::now());
        lines
    }

    /// Waits for a line that contains `part`. `None` if the stream ends first, or after [`PATIENCE`].
    pub fn find(&self, part: &str) -> Option<String> {
        self.find_nth(part, 1)
    }

    /// Waits for the nth line that contains `part`.
    pub fn find_nth(&self, part: &str, nth: usize) -> Option<String> {
        self.find_within(part, nth, PATIENCE)
    }

    /// Waits for the nth line that contains `part`, but no longer than `limit`.
    pub fn find_within(&self, part: &str, nth: usize, limit: Duration) -> Option<String> {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(line) = state.lines.iter().filter(|line| line.contains(part)).nth(nth - 1) {
                return Some(line.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.closed.is_some() || left.is_zero() {
                return None;
            }
            state = self.0.changed.wait_timeout(state, left).expect("no reader panics").0;
        }
    }

    /// Waits until the stream ends. Returns when it did, or `None` after [`PATIENCE`].
    pub fn ended(&self) -> Option<Instant> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        while state.closed.is_none() && Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            state = self.0.changed.wait_timeout(state, left).expect("no reader panics").0;
        }
        state.closed
    }

    /// The lines so far.
    pub fn text(&self) -> String {
        self.lock().lines.join("\n")
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no reader panics")
    }
}
