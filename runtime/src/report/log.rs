//! The timeline as users see it: `tracing` events, or plain lines on stderr where no subscriber is installed.
//!
//! A process writes them on a thread of its own: a full pipe, a full disk or a subscriber that hangs holds up that
//! thread alone, and no deadline depends on it.

use super::{
    outcome::MainResult,
    page::escaped,
    timeline::{Entry, Level, What},
};
use crate::phase::Phase;
use std::{
    io::{self, Write},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};
use tokio::{sync::oneshot, time::timeout};
use tracing::Span;

/// How long the first entries wait for `main` to install its subscriber.
const EARLY: Duration = Duration::from_secs(1);

enum Message {
    Entry(Entry),
    Summary { text: String, done: oneshot::Sender<()> },
}

/// The handle to the log thread.
#[derive(Clone)]
pub(crate) struct Log(mpsc::Sender<Message>);

impl Log {
    /// Starts the thread, which calls `count` with every entry.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub(crate) fn start(count: fn(&Entry)) -> io::Result<Self> {
        let (sender, messages) = mpsc::channel();
        let writer = Writer { count, early: Some(Vec::new()), phase: None };
        thread::Builder::new().name("graceful-log".into()).spawn(move || writer.run(&messages))?;
        Ok(Self(sender))
    }

    /// Hands an entry to the thread; never blocks.
    pub(crate) fn entry(&self, entry: Entry) {
        // Fails only after the subscriber has panicked, which ends the thread and the log with it.
        let _ = self.0.send(Message::Entry(entry));
    }

    /// Hands the summary to the thread, and waits until everything is written, but no longer than `limit`.
    pub(crate) async fn summary(&self, text: String, limit: Duration) {
        let (done, written) = oneshot::channel();
        let _ = self.0.send(Message::Summary { text, done });
        let _ = timeout(limit, written).await;
    }
}

/// The log thread.
struct Writer {
    count: fn(&Entry),
    /// Entries that wait for the subscriber: until the process is ready or stops, an error, or [`EARLY`].
    early: Option<Vec<Entry>>,
    /// The span of the current phase, around every event in it.
    phase: Option<Span>,
}

impl Writer {
    fn run(mut self, messages: &mpsc::Receiver<Message>) {
        loop {
            let received = match &self.early {
                Some(_) => messages.recv_timeout(EARLY),
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match received {
                Ok(Message::Entry(entry)) => self.entry(entry),
                Ok(Message::Summary { text, done }) => {
                    self.flush();
                    summary(&text);
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => self.flush(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn entry(&mut self, entry: Entry) {
        let Some(early) = &mut self.early else {
            return self.emit(&entry);
        };
        let is_last =
            entry.level == Level::Error || matches!(&entry.what, What::Phase(phase, _) if *phase > Phase::Starting);
        early.push(entry);
        if is_last {
            self.flush();
        }
    }

    fn flush(&mut self) {
        for entry in self.early.take().into_iter().flatten() {
            self.emit(&entry);
        }
    }

    fn emit(&mut self, entry: &Entry) {
        if let What::Phase(phase, _) = &entry.what {
            self.phase = Some(tracing::info_span!(target: "graceful", "phase", phase = phase.name()));
        }
        let _span = self.phase.as_ref().map(Span::enter);
        (self.count)(entry);
        emit(entry);
    }
}

/// Writes one entry, to the subscriber or else to stderr.
pub(crate) fn emit(entry: &Entry) {
    if let What::Main(MainResult::Failed(error)) = &entry.what {
        plain(&format!("Error: {}\n", escaped(error))); // as std prints it
    }
    if !is_subscribed() {
        return plain(&format!("graceful {:>9.3}s  {}\n", entry.at.as_secs_f64(), escaped(&entry.what.to_string())));
    }
    macro_rules! event {
        ($($field:tt)*) => {
            match entry.level {
                Level::Info => tracing::info!(target: "graceful", $($field)*),
                Level::Warn => tracing::warn!(target: "graceful", $($field)*),
                Level::Error => tracing::error!(target: "graceful", $($field)*),
            }
        };
    }
    match &entry.what {
        What::Phase(phase, detail) => event!(phase = phase.name(), "{phase}: {detail}"),
        What::Hook(hook) => event!(
            hook = &*hook.hook.name,
            order = hook.hook.order,
            outcome = hook.outcome.name(),
            took_ms = hook.took.as_millis() as u64,
            "{hook}"
        ),
        What::Waited(name, took) => {
            event!(waited_for = name.as_str(), took_ms = took.as_millis() as u64, "{}", entry.what)
        }
        What::Cut(name, count) => event!(cut = name.as_str(), count, "{}", entry.what),
        what => event!("{what}"),
    }
}

fn is_subscribed() -> bool {
    tracing::dispatcher::get_default(|subscriber| !subscriber.is::<tracing::subscriber::NoSubscriber>())
}

/// Writes the summary, as one event or else to stderr.
fn summary(text: &str) {
    if is_subscribed() {
        tracing::info!(target: "graceful", "{text}");
    } else {
        plain(&format!("graceful: {text}\n"));
    }
}

/// Writes to stderr. An error is ignored: a closed stderr must not fail a shutdown.
pub(super) fn plain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
