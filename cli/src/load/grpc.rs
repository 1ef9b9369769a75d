//! gRPC calls: the request message, and the status of the call.

use super::fault::Fault;
use crate::report::Outcome;
use bytes::Bytes;
use hyper::{HeaderMap, Uri};
use percent_encoding::percent_decode;
use std::str::FromStr;

const HEALTH: &str = "grpc.health.v1.Health/Check";

/// A call: a health check, or any method with an empty message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// The text that this call was made from.
    pub(crate) name: String,
    /// `package.Service/Method`.
    pub(crate) method: String,
    /// The request: a frame with a message.
    pub(super) request: Bytes,
}

impl FromStr for Call {
    type Err = String;

    /// `package.Service/Method`, or the service of a health check; nothing is the whole server.
    fn from_str(text: &str) -> Result<Self, String> {
        let (method, service) = if text.contains('/') { (text, "") } else { (HEALTH, text) };
        let (package, name) = method.split_once('/').unwrap_or_default();
        let is_target = package.is_empty() || name.is_empty() || name.contains('/');
        if is_target || format!("/{method}").parse::<Uri>().is_err() {
            return Err("write package.Service for a health check, or package.Service/Method".to_owned());
        }
        // HealthCheckRequest is `string service = 1`: tag 0x0a, a length of one byte, the name.
        let length = u8::try_from(service.len()).ok().filter(|length| *length < 0x80);
        let length = length.ok_or("a service name of a health check has at most 127 bytes")?;
        let message = if length == 0 { Vec::new() } else { [&[0x0a, length], service.as_bytes()].concat() };
        // A frame: not compressed, the length in four bytes, the message.
        let request = [&[0, 0, 0, 0, message.len() as u8], &message[..]].concat().into();
        Ok(Self { name: text.to_owned(), method: method.to_owned(), request })
    }
}

impl Call {
    /// Whether a response, of which these are the first bytes, lets a program count as ready: it is the response of
    /// another method, or the message `ServingStatus status = 1` with SERVING = 1.
    pub(super) fn is_serving(&self, response: &[u8]) -> bool {
        self.method != HEALTH || response.get(5..) == Some(&[0x08, 1])
    }
}

/// The status of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Status {
    code: Option<u16>,
    message: String,
}

impl Status {
    /// The status in the trailers, or in the head of a response that has no more than a head.
    pub(super) fn of(head: &HeaderMap, trailers: Option<&HeaderMap>) -> Self {
        let find = |name| trailers.and_then(|trailers| trailers.get(name)).or_else(|| head.get(name));
        let code = find("grpc-status").and_then(|code| code.to_str().ok()?.parse().ok());
        let message = find("grpc-message").map(|message| percent_decode(message.as_bytes()).decode_utf8_lossy());
        Self { code, message: message.unwrap_or_default().into_owned() }
    }

    /// What to change if no later call of this kind can succeed: INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED and
    /// UNAUTHENTICATED.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self.code? {
            12 => Some("name a method of the program: --grpc package.Service/Method"),
            3 | 7 | 16 => Some("name a method that succeeds with an empty message and without credentials"),
            _ => None,
        }
    }

    /// Success is the status OK, whatever the response says: a health check that tells NOT_SERVING is served.
    pub(super) fn outcome(&self) -> Result<Outcome, Fault> {
        let outcome = match self.code {
            Some(0) => return Ok(Outcome::Success),
            Some(code) => Outcome::GrpcStatus(code),
            None => Outcome::NoGrpcStatus,
        };
        let error = outcome.name();
        let message: String = self.message.chars().filter(|c| !c.is_control()).take(200).collect();
        Err(Fault::new(outcome, if message.is_empty() { error } else { format!("{error}: {message}") }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_a_health_check_or_any_method() {
        for (text, method, request) in [
            ("", HEALTH, &[0, 0, 0, 0, 0][..]),
            ("a.B", HEALTH, &[0, 0, 0, 0, 5, 0x0a, 3, b'a', b'.', b'B']),
            ("a.B/Get", "a.B/Get", &[0, 0, 0, 0, 0]),
        ] {
            let call: Call = text.parse().unwrap();
            assert_eq!((call.method.as_str(), &call.request[..]), (method, request));
        }
        for text in ["/", "a/", "/b", "a/b/c", "a b/c", &"x".repeat(128)] {
            assert!(text.parse::<Call>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_health_check_counts_as_ready_if_it_is_serving() {
        let (health, other): (Call, Call) = ("".parse().unwrap(), "a.B/Get".parse().unwrap());
        let [serving, not] = [1, 2].map(|status| [0, 0, 0, 0, 2, 0x08, status]);
        assert!(health.is_serving(&serving) && !health.is_serving(&not) && !health.is_serving(&[0; 5]));
        assert!(other.is_serving(&[0; 5]) && !health.is_serving(&[]));
    }

    #[test]
    fn the_status_is_in_the_trailers_or_in_the_head() {
        let headers = |code: &'static str, message: &'static str| {
            let pairs = [("grpc-status", code), ("grpc-message", message)];
            let pairs = pairs.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            pairs.into_iter().collect::<HeaderMap>()
        };
        let (ok, gone, none) = (headers("0", ""), headers("14", "going%20away"), HeaderMap::new());
        for (head, trailers, expected) in [
            (&none, Some(&ok), None),
            (&ok, None, None),
            (&gone, None, Some("grpc-status 14 UNAVAILABLE: going away")),
            (&none, Some(&gone), Some("grpc-status 14 UNAVAILABLE: going away")),
            (&none, None, Some("response without grpc-status")),
        ] {
            let result = Status::of(head, trailers).outcome();
            assert_eq!(result.err().map(|fault| fault.error).as_deref(), expected);
        }
    }
}
