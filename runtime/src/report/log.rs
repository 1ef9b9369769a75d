//! The timeline as users see it: `tracing` events, or plain lines on stderr where no subscriber is installed.
//!
//! In a process, a thread of its own writes. A log whose pipe is full, a disk that is full or a subscriber that
//! hangs holds up that thread and nothing else: deadlines are kept elsewhere.

#[cfg(feature = "metrics")]
use crate::integrations::metrics;
use crate::{
    phase::Phase,
    report::summary::{Entry, Level, MainResult, What},
};
use std::{
    io::{self, Write},
    path::PathBuf,
    sync::mpsc,
    thread,
    time::Duration,
};

/// Where Kubernetes reads the termination message, unless `GRACEFUL_TERMINATION_LOG` names another file.
const TERMINATION_LOG: &str = "/dev/termination-log";
/// The kubelet reads no more than this of it.
pub(crate) const TERMINATION_LOG_LIMIT: usize = 4096;

/// How long entries wait for `main` to install its subscriber.
const EARLY: Duration = Duration::from_secs(1);

enum Message {
    Entry(Entry),
    Summary { text: String, done: tokio::sync::oneshot::Sender<()> },
}

/// The handle to the writing thread.
#[derive(Clone)]
pub(crate) struct Log(mpsc::Sender<Message>);

impl Log {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (sender, messages) = mpsc::channel();
        thread::Builder::new().name("graceful-log".into()).spawn(move || write(&messages))?;
        Ok(Self(sender))
    }

    /// Hands an entry on; never blocks.
    pub(crate) fn entry(&self, entry: Entry) {
        // The thread only ends when every handle is gone, or by a panicking subscriber: then there is no log.
        let _ = self.0.send(Message::Entry(entry));
    }

    /// Hands the summary on, and resolves once everything is written.
    pub(crate) async fn summary(&self, text: String, limit: Duration) {
        let (done, written) = tokio::sync::oneshot::channel();
        let _ = self.0.send(Message::Summary { text, done });
        let _ = tokio::time::timeout(limit, written).await;
    }
}

/// Entries from before `main` had a chance to install its subscriber wait until the process is ready or stops, or for a
/// moment.
fn write(messages: &mpsc::Receiver<Message>) {
    let mut waiting = Some(Vec::new());
    let mut phase = PhaseSpan::default();
    loop {
        let received = match &waiting {
            Some(_) => messages.recv_timeout(EARLY),
            None => messages.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
        };
        let message = match received {
            Ok(message) => message,
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                waiting.take().into_iter().flatten().for_each(|entry| phase.emit(&entry));
                continue;
            }
        };
        match message {
            Message::Entry(entry) => match &mut waiting {
                Some(early) => {
                    let opens = entry.level == Level::Error
                        || matches!(&entry.what, What::Phase(phase, _) if *phase > Phase::Starting);
                    early.push(entry);
                    if opens {
                        waiting.take().into_iter().flatten().for_each(|entry| phase.emit(&entry));
                    }
                }
                None => phase.emit(&entry),
            },
            Message::Summary { text, done } => {
                waiting.take().into_iter().flatten().for_each(|entry| phase.emit(&entry));
                summary(&text);
                let _ = done.send(());
            }
        }
    }
}

/// The span of the phase that the process is in, around everything that is told during it.
#[derive(Default)]
struct PhaseSpan(Option<tracing::Span>);

impl PhaseSpan {
    fn emit(&mut self, entry: &Entry) {
        if let What::Phase(phase, _) = &entry.what {
            self.0 = Some(tracing::info_span!(target: "graceful", "phase", phase = phase.name()));
        }
        match &self.0 {
            Some(span) => span.in_scope(|| emit(entry)),
            None => emit(entry),
        }
    }
}

/// Tells one entry to the subscriber, or to stderr.
pub(crate) fn emit(entry: &Entry) {
    #[cfg(feature = "metrics")]
    metrics::count(entry);
    if let What::Main(MainResult::Failed(error)) = &entry.what {
        plain(&format!("Error: {error}\n")); // as std prints it
    }
    if !is_subscribed() {
        return plain(&format!("graceful {:>9.3}s  {}\n", entry.at.as_secs_f64(), entry.what));
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

/// The summary repeats what the subscriber has seen entry by entry; so it goes there as one event, else to stderr.
fn summary(text: &str) {
    if is_subscribed() {
        tracing::info!(target: "graceful", "{text}");
    } else {
        plain(&format!("graceful: {text}\n"));
    }
}

/// A closed or broken stderr is no reason to fail a shutdown.
fn plain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Writes a message into the termination log and to stderr, for no longer than `limit`: either may be stuck.
pub(crate) fn last_words(message: String, named: Option<PathBuf>, limit: Duration) {
    let (done, written) = mpsc::channel();
    let writer = move || {
        termination_message(named, &message);
        plain(&message);
        let _ = done.send(());
    };
    if thread::Builder::new().name("graceful-log".into()).spawn(writer).is_ok() {
        let _ = written.recv_timeout(limit);
    }
}

/// Writes the message where the kubelet will read it: into an existing file, which Kubernetes mounts, or into the
/// file that the user named.
pub(crate) fn termination_message(named: Option<PathBuf>, message: &str) {
    let create = named.is_some();
    let path = named.unwrap_or_else(|| TERMINATION_LOG.into());
    let opened = std::fs::OpenOptions::new().write(true).create(create).truncate(true).open(&path);
    match opened.and_then(|mut file| file.write_all(message.as_bytes())) {
        Err(error) if create => {
            plain(&format!("graceful: cannot write the termination log {}: {error}\n", path.display()))
        }
        _ => {}
    }
}
