//! The control thread: signals, probes and deadlines, on an OS thread and a runtime of their own.
//!
//! The user's runtime may be starved, deadlocked or blocked: probes are still answered, deadlines still hold, and
//! the process still exits. Nothing here calls a user's function or drops a user's value: hooks and tasks run on the
//! user's runtime, and the log thread calls the user's subscriber. ARCHITECTURE.md names the two exceptions.

use super::orchestrator;
#[cfg(any(feature = "metrics", all(feature = "systemd", unix)))]
use crate::integrations;
#[cfg(feature = "metrics")]
use crate::report::check_state::On;
use crate::{
    cause::Signal,
    checks::descriptor::Check,
    context::Context,
    health::server,
    os::{process, signals},
    report::{exit_code, log::Log, summary::Report, termination_log},
    shared::Request,
};
use std::{
    io::{self, Write},
    net::TcpListener,
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::mpsc,
    time::Duration,
};
use tokio::{
    runtime::Runtime,
    sync::{mpsc::UnboundedReceiver, oneshot},
};

/// How long the log may take to write the summary, and systemd to be notified that the process stops.
pub(super) const LOG_TIMEOUT: Duration = Duration::from_millis(250);
/// The longest that a finished process waits for its main thread before it exits without it.
const EXIT_TIMEOUT: Duration = Duration::from_millis(500);

/// What the control thread is started with.
pub(super) struct ControlThread {
    pub(super) context: Context,
    pub(super) checks: Vec<&'static Check>,
    pub(super) requests: UnboundedReceiver<Request>,
    pub(super) signals: &'static [Signal],
    pub(super) health: Option<TcpListener>,
    pub(super) log: Log,
    pub(super) termination_log: Option<PathBuf>,
    /// Whether the signal handlers are installed and the health server listens.
    pub(super) installed: mpsc::SyncSender<io::Result<()>>,
    /// Takes the exit code when the lifecycle is over.
    pub(super) finish: oneshot::Sender<u8>,
}

impl ControlThread {
    pub(super) fn run(self, runtime: &Runtime) {
        // h2 logs through `tracing`, and this thread must not call a user's subscriber.
        #[cfg(feature = "tonic")]
        let _silence = tracing::dispatcher::set_default(&tracing::Dispatch::none());
        // A panic must end the process: without this thread nothing else would.
        if std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(self.run_lifecycle()))).is_err() {
            let _ = writeln!(
                io::stderr(),
                "graceful: the control thread panicked; this is a fault in graceful, please report it"
            );
            process::exit_now(exit_code::INTERNAL);
        }
    }

    async fn run_lifecycle(mut self) {
        // The thread for blocking calls is started now: the system may refuse one at the end.
        let _ = tokio::task::spawn_blocking(|| ()).await;
        let up = self.listen();
        let failed = up.is_err();
        let _ = self.installed.send(up);
        if failed {
            return;
        }
        let margin = self.context.0.plan.margin;
        #[cfg(all(feature = "systemd", unix))]
        let stopping = integrations::systemd::start(&self.context);
        let report = orchestrator::run(self.context, &self.checks, &mut self.requests).await;
        let code = report.exit_code();
        let written = write(&self.log, self.termination_log, &report);
        #[cfg(all(feature = "systemd", unix))]
        let written = async {
            let _ = tokio::join!(written, tokio::time::timeout(LOG_TIMEOUT, stopping));
        };
        written.await;
        let _ = self.finish.send(code);
        // The main thread ends the process. If it is stuck, the process ends here; probes are answered until then.
        let wait = if report.forced_by.is_some() { Duration::ZERO } else { EXIT_TIMEOUT.min(margin / 2) };
        tokio::time::sleep(wait).await;
        process::exit_now(code);
    }

    fn listen(&mut self) -> io::Result<()> {
        signals::forward(self.signals, &self.context.0.requests(), Request::Signal)?;
        #[cfg(feature = "metrics")]
        {
            let context = self.context.clone();
            let (tracker, runtime) = (context.0.tracker.clone(), context.0.runtime.clone());
            integrations::metrics::start(tracker, &runtime, move || {
                let checks = [On::Readiness, On::Liveness, On::Startup].map(|on| context.0.board.of(on)).concat();
                (context.phase(), checks)
            });
        }
        match self.health.take() {
            Some(listener) => server::start(listener, self.context.clone()).map(drop),
            None => Ok(()),
        }
    }
}

/// Writes the summary to the log and to the termination log, each on another thread: either may be stuck.
async fn write(log: &Log, file: Option<PathBuf>, report: &Report) {
    let message = report.summary(termination_log::LIMIT);
    let file = tokio::task::spawn_blocking(move || termination_log::write(file, &message));
    let _ = tokio::join!(log.summary(report.digest(), LOG_TIMEOUT), tokio::time::timeout(LOG_TIMEOUT, file));
}
