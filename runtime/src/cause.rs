//! Why a shutdown begins.

use std::fmt;

/// A signal that can begin a shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// SIGINT, which Ctrl-C sends (on Windows: Ctrl-C and Ctrl-Break).
    Interrupt,
    /// SIGTERM, which Kubernetes sends (on Windows: console close, logoff and system shutdown).
    Terminate,
    /// SIGHUP.
    Hangup,
    /// SIGQUIT, which Ctrl-\ sends.
    Quit,
    /// SIGUSR1.
    User1,
    /// SIGUSR2.
    User2,
}

impl Signal {
    /// The signal's name, such as `SIGTERM`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
            Self::Quit => "SIGQUIT",
            Self::User1 => "SIGUSR1",
            Self::User2 => "SIGUSR2",
        }
    }

    /// The signal's number on Linux, for exit codes of the form 128 + n.
    pub const fn number(self) -> u8 {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
            Self::Hangup => 1,
            Self::Quit => 3,
            Self::User1 => 10,
            Self::User2 => 12,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why a shutdown began.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A signal arrived.
    Signal(Signal),
    /// `ctx.shutdown(reason)` was called, with this reason.
    Requested(String),
    /// `main` returned or panicked by itself.
    MainReturned,
    /// The process refused to become ready, for this reason: a health check takes a state that was never provided.
    Refused(String),
    /// A task that must not end has failed: its name, and how.
    Fatal {
        /// The task's name.
        task: String,
        /// Its error, or its panic's message.
        error: String,
    },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(signal) => signal.fmt(f),
            Self::Requested(reason) => write!(f, "a request to shut down: {reason}"),
            Self::MainReturned => f.write_str("the return of main"),
            Self::Refused(reason) => write!(f, "refusing to become ready: {reason}"),
            Self::Fatal { task, error } => write!(f, "the end of task {task}: {error}"),
        }
    }
}
