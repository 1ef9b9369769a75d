//! How a request ends.

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// A complete 2xx response.
    Success,
    /// Not sent, because the request needs a new connection and load balancers have removed the program by then.
    Elsewhere,
    /// Not sent, because no copy of the program is in rotation during a rolling restart.
    NoReplica,
    /// The connection was refused.
    Refused,
    /// The connection could not be opened for another reason.
    NotConnected,
    /// The connection ended after the request was sent and before the head of the response.
    ResetBeforeResponse,
    /// The connection ended within the response.
    ResetInResponse,
    /// No complete response within the time limit.
    Timeout,
    /// A complete response with another status than 2xx.
    Status(u16),
    /// A response body over the limit.
    TooLong,
    /// Due while all connections were busy until the end of the load.
    Unsent,
    /// The machine ran out of ports or file descriptors.
    OutOfResources,
}

impl Outcome {
    pub(crate) fn is_failure(self) -> bool {
        !matches!(self, Self::Success | Self::Elsewhere)
    }

    /// The outcome in the words of a report.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Success => "succeeded".to_owned(),
            Self::Elsewhere => "routed elsewhere".to_owned(),
            Self::NoReplica => "no replica in rotation".to_owned(),
            Self::Refused => "connection refused".to_owned(),
            Self::NotConnected => "not connected".to_owned(),
            Self::ResetBeforeResponse => "reset before the response".to_owned(),
            Self::ResetInResponse => "reset in the middle of the response".to_owned(),
            Self::Timeout => "timeout".to_owned(),
            Self::Status(status) => format!("status {status}"),
            Self::TooLong => "response body too long".to_owned(),
            Self::Unsent => "not sent, all connections busy".to_owned(),
            Self::OutOfResources => "no free port or file descriptor".to_owned(),
        }
    }

    /// The outcome of a name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let status = name.strip_prefix("status ").and_then(|status| status.parse().ok()).map(Self::Status);
        status.or_else(|| Self::NAMED.into_iter().find(|outcome| outcome.name() == name))
    }

    /// Every outcome except for those of a status.
    const NAMED: [Self; 11] = [
        Self::Success,
        Self::Elsewhere,
        Self::NoReplica,
        Self::Refused,
        Self::NotConnected,
        Self::ResetBeforeResponse,
        Self::ResetInResponse,
        Self::Timeout,
        Self::TooLong,
        Self::Unsent,
        Self::OutOfResources,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_found_by_its_name() {
        for outcome in Outcome::NAMED.into_iter().chain([Outcome::Status(503)]) {
            assert_eq!(Outcome::of_name(&outcome.name()), Some(outcome));
        }
        assert_eq!(Outcome::of_name("status abc"), None);
    }
}
