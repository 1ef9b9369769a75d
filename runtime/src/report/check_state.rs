//! The state of a health check.

use std::fmt;

/// Which probe a check belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum On {
    /// `/readyz`: while it fails, the process gets no traffic.
    Readiness,
    /// `/livez`: when it fails, the process is restarted.
    Liveness,
    /// `/startupz`: once the check has passed, it stays passed.
    Startup,
}

impl On {
    /// The probe's name in attributes, logs and responses.
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

/// The status of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckStatus {
    /// It has not run yet, or takes a state that `main` has not provided yet.
    Pending(String),
    /// It passed, or has not failed often enough in a row.
    Ok,
    /// It has failed `failures` times in a row (the key of the attribute); this is the last error.
    Failing(String),
}

impl CheckStatus {
    /// The status as one word: `pending`, `ok` or `failing`.
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

/// One check and its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckState {
    /// Its name.
    pub name: &'static str,
    /// Its probe.
    pub on: On,
    /// Its status.
    pub status: CheckStatus,
}

impl CheckState {
    /// Whether this check lets its probe succeed.
    pub fn allows(&self) -> bool {
        match self.status {
            CheckStatus::Ok => true,
            CheckStatus::Failing(_) => false,
            // Unknown liveness must not restart the process; unknown readiness must not route traffic to it.
            CheckStatus::Pending(_) => self.on == On::Liveness,
        }
    }
}
