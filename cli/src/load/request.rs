//! Requests, and responses read to their end.

use super::{
    endpoint::Endpoint,
    fault::Fault,
    grpc::{Call, Status},
    upload::Upload,
};
use crate::report::Outcome;
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Version,
    body::Incoming,
    header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, LOCATION, TE},
};
use std::time::Duration;

/// How clients use their connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// HTTP/1.1, a connection until the server closes it or asks to reconnect.
    KeepAlive,
    /// HTTP/1.1, a connection for each request.
    NewConnections,
    /// HTTP/2, a connection until the server sends GOAWAY or closes it.
    Http2,
    /// The same with gRPC calls.
    Grpc,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KeepAlive => "keep-alive",
            Self::NewConnections => "new-connections",
            Self::Http2 => "http2",
            Self::Grpc => "grpc",
        }
    }

    pub(crate) fn is_http2(self) -> bool {
        matches!(self, Self::Http2 | Self::Grpc)
    }
}

/// A response body over this limit is a failure.
const LONGEST_BODY: u64 = 64 << 20;
/// As many bytes of a response are kept as a health check needs.
const KEPT: usize = 8;

pub(super) type Body = Either<Full<Bytes>, Upload>;

/// A request without a body, or a call.
pub(super) fn request(endpoint: &Endpoint, mode: Mode) -> Request<Body> {
    let mut request = Request::new(Either::Left(Full::default()));
    if let (Mode::Grpc, Some((target, call))) = (mode, &endpoint.call) {
        *request.body_mut() = Either::Left(Full::new(call.request.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.clone();
        *request.version_mut() = Version::HTTP_2;
        request.headers_mut().insert(TE, HeaderValue::from_static("trailers"));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        return request;
    }
    if mode.is_http2() {
        *request.uri_mut() = endpoint.absolute.clone();
        *request.version_mut() = Version::HTTP_2;
        return request;
    }
    *request.uri_mut() = endpoint.path.clone();
    request.headers_mut().insert(HOST, endpoint.host.clone());
    if mode == Mode::NewConnections {
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    request
}

/// A request with a slow body.
pub(super) fn upload(endpoint: &Endpoint, mode: Mode, limit: Duration) -> Request<Body> {
    let mut request = request(endpoint, mode);
    *request.body_mut() = Either::Right(Upload::new(limit));
    *request.method_mut() = Method::POST;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    request
}

/// A request for a stream, for example of server-sent events.
pub(super) fn stream(endpoint: &Endpoint, mode: Mode) -> Request<Body> {
    let mut request = request(endpoint, mode);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/event-stream, */*"));
    request
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    /// The status of a gRPC call.
    pub(crate) call: Option<Status>,
    /// A health check responds SERVING, or the call is none.
    pub(crate) serving: bool,
    /// The server asks the client to reconnect.
    pub(super) asked: bool,
}

impl Exchange {
    /// Whether the request succeeded.
    ///
    /// # Errors
    /// The status of the response or of the call is a failure.
    pub(crate) fn outcome(&self) -> Result<Outcome, Fault> {
        match (&self.call, self.status.is_success()) {
            (Some(call), true) => call.outcome(),
            _ => of_status(self.status),
        }
    }
}

/// 2xx is a success.
pub(super) fn of_status(status: StatusCode) -> Result<Outcome, Fault> {
    match status.as_u16() {
        200..300 => Ok(Outcome::Success),
        status => Err(Fault::new(Outcome::Status(status), format!("status {status}"))),
    }
}

/// Reads a response to its end.
///
/// # Errors
/// The body is cut, or too long.
pub(super) async fn read(response: Response<Incoming>, call: Option<&Call>) -> Result<Exchange, Fault> {
    let closes = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("close"));
    let (head, mut body) = response.into_parts();
    let asked = head.version < Version::HTTP_11 || head.headers.get_all(CONNECTION).iter().any(closes);
    let location = head.headers.get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
    let (mut length, mut first, mut trailers): (_, _, Option<HeaderMap>) = (0, Vec::new(), None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Fault::of(&error, Outcome::ResetInResponse))?;
        let data = match frame.into_data() {
            Ok(data) => data,
            Err(frame) => {
                trailers = frame.into_trailers().ok();
                continue;
            }
        };
        length += data.len() as u64;
        if call.is_some() {
            first.extend(data.iter().take(KEPT - first.len()));
        }
        if length > LONGEST_BODY {
            let error = format!("the response body is longer than {} MB", LONGEST_BODY >> 20);
            return Err(Fault::new(Outcome::TooLong, error));
        }
    }
    let serving = call.is_none_or(|call| call.is_serving(&first));
    let call = call.map(|_| Status::of(&head.headers, trailers.as_ref()));
    Ok(Exchange { status: head.status, location, call, serving, asked })
}
