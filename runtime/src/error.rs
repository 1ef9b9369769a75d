//! Why a process refuses to start.

use graceful_plan::{BudgetError, overrides::OverrideError};
use std::{fmt, io};

/// Why a process refuses to start (exit code 78). `Display` shows one message that names the fix.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// An environment override is wrong: its name, its value and what to write instead.
    Environment {
        /// The variable, such as `GRACEFUL_GRACE`.
        name: &'static str,
        /// What is wrong with its value, and what to write instead.
        problem: String,
    },
    /// Two settings do not go together, after the environment's overrides.
    Plan(String),
    /// The plan, with the linked hooks and the environment's overrides, does not fit.
    Budget(BudgetError),
    /// The health server cannot listen at its address.
    Health {
        /// The address.
        address: String,
        /// The system's error.
        error: io::Error,
    },
    /// The operating system refused a thread, a runtime or a signal handler.
    System {
        /// What was refused.
        what: &'static str,
        /// The system's error.
        error: io::Error,
    },
    /// Two health checks have one name.
    DuplicateCheck {
        /// One of them, with its place.
        first: String,
        /// The other.
        second: String,
    },
    /// The link-time registry lacks its own element, so hooks are not collected in this build.
    Linking,
}

impl From<OverrideError> for StartError {
    fn from(OverrideError { name, problem }: OverrideError) -> Self {
        Self::Environment { name, problem }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment { name, problem } => write!(f, "{name}: {problem}"),
            Self::Plan(problem) => f.write_str(problem),
            Self::Budget(error) => error.fmt(f),
            Self::Health { address, error } => {
                write!(f, "the health server cannot listen on {address}: {error}; ")?;
                f.write_str(
                    "free that address, or choose another with `health = \"[::]:PORT\"` or GRACEFUL_HEALTH, or `off`",
                )
            }
            Self::System { what, error } => {
                write!(f, "{what}: {error}; raise the limits of the process or of its container")
            }
            Self::DuplicateCheck { first, second } => {
                write!(f, "{first} and {second} have one name; give one of them another with `name = \"..\"`")
            }
            Self::Linking => f.write_str(
                "link-time collection does not work in this build, so no shutdown hook would run; \
                 link graceful statically (not through a dylib), with a linker that keeps its `linkme` sections",
            ),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Budget(error) => Some(error),
            Self::Health { error, .. } | Self::System { error, .. } => Some(error),
            Self::Environment { .. } | Self::Plan(_) | Self::DuplicateCheck { .. } | Self::Linking => None,
        }
    }
}
