//! How a request ends.

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// A complete 2xx response, a gRPC call with the status OK, a stream that ends completely.
    Success,
    /// Not sent, because the request needs a new connection and load balancers have removed the program by then.
    Elsewhere,
    /// Not sent, because no copy of the program is in rotation during a rolling restart.
    NoReplica,
    /// The connection was refused.
    Refused,
    /// The connection could not be opened for another reason.
    NotConnected,
    /// The certificate is not accepted.
    Certificate,
    /// The connection ended before the TLS session was established, or the server did not establish it in time.
    TlsHandshake,
    /// The server speaks another protocol than the client.
    Protocol,
    /// The connection ended after the request was sent and before the head of the response.
    ResetBeforeResponse,
    /// The connection ended within the response.
    ResetInResponse,
    /// The connection ended before the response to an upload.
    UploadCut,
    /// No complete response within the time limit.
    Timeout,
    /// A complete response with another status than 2xx.
    Status(u16),
    /// A gRPC call with another status than OK.
    GrpcStatus(u16),
    /// A complete response to a gRPC call, without a status.
    NoGrpcStatus,
    /// A response with this status instead of the upgrade to a WebSocket.
    WebSocketRefused(u16),
    /// The connection of a WebSocket ended without a Close frame.
    WebSocketCut,
    /// A WebSocket ended with a Close frame of this code, which says that something went wrong.
    WebSocketClosed(u16),
    /// The server broke the WebSocket protocol.
    WebSocketError,
    /// The connection ended within a response of `--stream`.
    StreamCut,
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

    pub(crate) fn is_of_websocket(self) -> bool {
        matches!(self, Self::WebSocketRefused(_) | Self::WebSocketCut | Self::WebSocketClosed(_) | Self::WebSocketError)
    }

    /// The outcome in the words of a report.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Success => "succeeded".to_owned(),
            Self::Elsewhere => "routed elsewhere".to_owned(),
            Self::NoReplica => "no replica in rotation".to_owned(),
            Self::Refused => "connection refused".to_owned(),
            Self::NotConnected => "not connected".to_owned(),
            Self::Certificate => "certificate not accepted".to_owned(),
            Self::TlsHandshake => "TLS handshake failed".to_owned(),
            Self::Protocol => "another protocol".to_owned(),
            Self::ResetBeforeResponse => "reset before the response".to_owned(),
            Self::ResetInResponse => "reset in the middle of the response".to_owned(),
            Self::UploadCut => "upload cut".to_owned(),
            Self::Timeout => "timeout".to_owned(),
            Self::Status(status) => format!("status {status}"),
            Self::GrpcStatus(code) => format!("grpc-status {code} {}", grpc_name(code)).trim_end().to_owned(),
            Self::NoGrpcStatus => "response without grpc-status".to_owned(),
            Self::WebSocketRefused(status) => format!("status {status} instead of a WebSocket"),
            Self::WebSocketCut => "WebSocket cut without a Close frame".to_owned(),
            Self::WebSocketClosed(code) => format!("WebSocket closed with code {code}"),
            Self::WebSocketError => "WebSocket protocol error".to_owned(),
            Self::StreamCut => "stream cut".to_owned(),
            Self::TooLong => "response body too long".to_owned(),
            Self::Unsent => "not sent, all connections busy".to_owned(),
            Self::OutOfResources => "no free port or file descriptor".to_owned(),
        }
    }

    /// The outcome of a name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let number = |prefix| name.strip_prefix(prefix)?.split(' ').next()?.parse().ok();
        let (status, call) = (number("status "), number("grpc-status "));
        let closed = number("WebSocket closed with code ").map(Self::WebSocketClosed);
        let numbered =
            [status.map(Self::Status), status.map(Self::WebSocketRefused), call.map(Self::GrpcStatus), closed];
        numbered.into_iter().flatten().chain(Self::NAMED).find(|outcome| outcome.name() == name)
    }

    /// Every outcome except for those of a status.
    const NAMED: [Self; 19] = [
        Self::Success,
        Self::Elsewhere,
        Self::NoReplica,
        Self::Refused,
        Self::NotConnected,
        Self::Certificate,
        Self::TlsHandshake,
        Self::Protocol,
        Self::ResetBeforeResponse,
        Self::ResetInResponse,
        Self::UploadCut,
        Self::Timeout,
        Self::NoGrpcStatus,
        Self::WebSocketCut,
        Self::WebSocketError,
        Self::StreamCut,
        Self::TooLong,
        Self::Unsent,
        Self::OutOfResources,
    ];
}

/// The name of a gRPC status, or nothing if the number is none.
fn grpc_name(code: u16) -> &'static str {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    NAMES.get(usize::from(code)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_found_by_its_name() {
        for outcome in Outcome::NAMED.into_iter().chain([
            Outcome::Status(503),
            Outcome::GrpcStatus(14),
            Outcome::GrpcStatus(99),
            Outcome::WebSocketRefused(200),
            Outcome::WebSocketClosed(1011),
        ]) {
            assert_eq!(Outcome::of_name(&outcome.name()), Some(outcome));
        }
        assert_eq!(Outcome::of_name("status abc"), None);
    }
}
