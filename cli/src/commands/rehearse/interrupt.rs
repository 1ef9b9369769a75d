//! Ctrl-C and SIGTERM for this command itself.

use crate::exit_code::{ExitCode, Failure};

/// The signals that end a rehearsal.
#[derive(Debug)]
pub(crate) struct Interrupt {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl Interrupt {
    /// Installs the handlers.
    pub(crate) fn new() -> Result<Self, Failure> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let install = |kind| {
                signal(kind).map_err(|error| Failure::new(ExitCode::Io, format!("cannot handle signals: {error}")))
            };
            Ok(Self { signals: [install(SignalKind::interrupt())?, install(SignalKind::terminate())?] })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate] = &mut self.signals;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// The result of an interrupted command.
pub(crate) fn interrupted() -> Failure {
    Failure::new(ExitCode::Interrupted, "interrupted")
}
