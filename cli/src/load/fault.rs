//! Failed requests.

use crate::report::{Outcome, span};
use std::{
    error::Error,
    io::{self, ErrorKind},
    time::Duration,
};

/// A failed request: how, and the error.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) outcome: Outcome,
    pub(crate) error: String,
}

impl Fault {
    pub(super) fn new(outcome: Outcome, error: impl Into<String>) -> Self {
        Self { outcome, error: error.into() }
    }

    /// The error with its causes, because hyper's own message omits them.
    pub(super) fn of(error: &dyn Error, outcome: Outcome) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text += &format!(": {error}");
            cause = error.source();
        }
        Self { outcome, error: text }
    }

    pub(super) fn timed_out(limit: Duration) -> Self {
        Self::new(Outcome::Timeout, format!("no complete response within {}", span(limit)))
    }

    /// The server closes a new connection without a look at the request.
    pub(super) fn closed_at_once() -> Self {
        Self::new(Outcome::ResetBeforeResponse, "the server closed the new connection at once")
    }

    pub(super) fn not_connected(error: &io::Error) -> Self {
        // EMFILE and ENFILE have no stable kind.
        let is_limit = matches!(error.raw_os_error(), Some(23 | 24));
        let outcome = match error.kind() {
            ErrorKind::ConnectionRefused => Outcome::Refused,
            ErrorKind::AddrNotAvailable => Outcome::OutOfResources,
            _ if is_limit => Outcome::OutOfResources,
            _ => Outcome::NotConnected,
        };
        Self::new(outcome, error.to_string())
    }
}
