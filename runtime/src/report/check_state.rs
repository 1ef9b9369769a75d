//! What is known of a health check.

use std::fmt;

/// Which probe a check belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum On {
    /// `/readyz`: while it fails, the process gets no traffic.
    Readiness,
    /// `/livez`: when it fails, the process is restarted.
    Liveness,
    /// `/startupz`: once it has passed, it counts no more.
    Startup,
}

impl On {
    /// The word that stands for it, in attributes, logs and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Readiness => "readiness",
            Self::Liveness => "liveness",
            Self::Startup => "startup",
        }
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is known of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckStatus {
    /// It has not run yet, or waits for a state that main has not provided yet.
    Pending(String),
    /// It passed, or has not failed often enough in a row.
    Ok,
    /// It has failed as often in a row as its `failures` key says; this is the last error.
    Failing(String),
}

impl CheckStatus {
    /// The status in a word: `pending`, `ok` or `failing`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Ok => "ok",
            Self::Failing(_) => "failing",
        }
    }
}

impl fmt::Display for CheckStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Pending(why) | Self::Failing(why) => write!(f, "{}: {why}", self.name()),
        }
    }
}

/// One check and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckState {
    /// Its name.
    pub name: &'static str,
    /// The probe that it belongs to.
    pub on: On,
    /// What is known of it.
    pub status: CheckStatus,
}

impl CheckState {
    /// Whether its probe may say yes, as far as this check goes.
    pub fn allows(&self) -> bool {
        match self.status {
            CheckStatus::Ok => true,
            CheckStatus::Failing(_) => false,
            // What is not known to be dead is alive; what is not known to be ready is not.
            CheckStatus::Pending(_) => self.on == On::Liveness,
        }
    }
}
