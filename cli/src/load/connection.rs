//! One client connection, without a pool and without retries.

use super::endpoint::Endpoint;
use crate::report::Outcome;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response, StatusCode, Version,
    body::Incoming,
    client::conn::{http1, http2},
    header::{CONNECTION, HOST, HeaderValue, LOCATION},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    error::Error,
    io::{self, ErrorKind},
    net::SocketAddr,
};
use tokio::{net::TcpStream, task::JoinHandle};

/// How clients use their connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// HTTP/1.1, a connection until the server closes it or asks to reconnect.
    KeepAlive,
    /// HTTP/1.1, a connection for each request.
    NewConnections,
    /// HTTP/2, a connection until the server sends GOAWAY or closes it.
    Http2,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KeepAlive => "keep-alive",
            Self::NewConnections => "new-connections",
            Self::Http2 => "http2",
        }
    }
}

/// A response body over this limit is a failure.
pub(crate) const LONGEST_BODY: u64 = 64 << 20;

/// A failed request: how, and the error.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) outcome: Outcome,
    pub(crate) error: String,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    /// The server asks the client to reconnect.
    pub(crate) asked: bool,
}

type Body = Empty<Bytes>;

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: Sender,
    mode: Mode,
    driver: JoinHandle<hyper::Result<()>>,
}

/// The result of a sent request.
pub(crate) enum Sent {
    Complete(Exchange),
    Failed(Fault),
    /// The connection ended before a byte of the request was sent.
    Unsent,
}

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// The connection is refused or fails.
    pub(crate) async fn open(address: SocketAddr, mode: Mode) -> Result<Self, Fault> {
        let stream = TcpStream::connect(address).await.map_err(|error| not_connected(&error))?;
        let _ = stream.set_nodelay(true);
        let io = TokioIo::new(stream);
        let (sender, driver) = match mode {
            Mode::Http2 => {
                let (sender, connection) =
                    http2::handshake(TokioExecutor::new(), io).await.map_err(|error| before_response(&error))?;
                (Sender::Http2(sender), tokio::spawn(connection))
            }
            Mode::KeepAlive | Mode::NewConnections => {
                let (sender, connection) = http1::handshake(io).await.map_err(|error| before_response(&error))?;
                (Sender::Http1(sender), tokio::spawn(connection))
            }
        };
        Ok(Self { sender, mode, driver })
    }

    /// Waits until the connection can send a request.
    ///
    /// # Errors
    /// The server has closed the connection, or sent GOAWAY.
    pub(crate) async fn ready(mut self) -> Result<Self, Closed> {
        let ready = match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await,
            Sender::Http2(sender) => sender.ready().await,
        };
        match ready {
            Ok(()) => Ok(self),
            Err(_) if self.mode == Mode::Http2 && self.driver.is_finished() => match (&mut self.driver).await {
                Ok(Ok(())) => Err(Closed::Asked),
                _ => Err(Closed::Idle),
            },
            Err(_) if self.mode == Mode::Http2 => Err(Closed::Asked),
            Err(_) => Err(Closed::Idle),
        }
    }

    /// Sends one request and reads the response to its end.
    pub(crate) async fn exchange(&mut self, endpoint: &Endpoint) -> Sent {
        let sent = match &mut self.sender {
            Sender::Http1(sender) => sender.try_send_request(request(endpoint, self.mode)).await,
            Sender::Http2(sender) => sender.try_send_request(request(endpoint, self.mode)).await,
        };
        match sent {
            Ok(response) => match read(response).await {
                Ok(exchange) => Sent::Complete(exchange),
                Err(fault) => Sent::Failed(fault),
            },
            Err(mut error) => match error.take_message() {
                Some(_) => Sent::Unsent,
                None => Sent::Failed(before_response(error.error())),
            },
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // An HTTP/2 connection outlives its sender for open streams only; nothing waits for them.
        if self.mode == Mode::Http2 {
            self.driver.abort();
        }
    }
}

/// Why a kept connection cannot take a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The server closed the idle connection.
    Idle,
    /// The server sent GOAWAY.
    Asked,
}

/// Sends one request on a connection of its own.
///
/// # Errors
/// The request fails.
pub(crate) async fn fetch(address: SocketAddr, endpoint: &Endpoint, mode: Mode) -> Result<Exchange, Fault> {
    let mut connection = Connection::open(address, mode).await?;
    match connection.exchange(endpoint).await {
        Sent::Complete(exchange) => Ok(exchange),
        Sent::Failed(fault) => Err(fault),
        Sent::Unsent => Err(closed_at_once()),
    }
}

/// The fault of a request whose new connection the server closes without a look at it.
pub(crate) fn closed_at_once() -> Fault {
    let error = "the server closed the new connection at once".to_owned();
    Fault { outcome: Outcome::ResetBeforeResponse, error }
}

fn request(endpoint: &Endpoint, mode: Mode) -> Request<Body> {
    let mut request = Request::new(Empty::new());
    if mode == Mode::Http2 {
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

async fn read(response: Response<Incoming>) -> Result<Exchange, Fault> {
    let closes = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("close"));
    let headers = response.headers();
    let asked = response.version() < Version::HTTP_11 || headers.get_all(CONNECTION).iter().any(closes);
    let location = headers.get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
    let status = response.status();
    let (mut body, mut length) = (response.into_body(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| fault(&error, Outcome::ResetInResponse))?;
        length += frame.data_ref().map_or(0, Bytes::len) as u64;
        if length > LONGEST_BODY {
            let error = format!("the response body is longer than {} MB", LONGEST_BODY >> 20);
            return Err(Fault { outcome: Outcome::TooLong, error });
        }
    }
    Ok(Exchange { status, location, asked })
}

fn not_connected(error: &io::Error) -> Fault {
    // EMFILE and ENFILE have no stable kind.
    let is_limit = matches!(error.raw_os_error(), Some(23 | 24));
    let outcome = match error.kind() {
        ErrorKind::ConnectionRefused => Outcome::Refused,
        ErrorKind::AddrNotAvailable => Outcome::OutOfResources,
        _ if is_limit => Outcome::OutOfResources,
        _ => Outcome::NotConnected,
    };
    Fault { outcome, error: error.to_string() }
}

fn before_response(error: &hyper::Error) -> Fault {
    fault(error, Outcome::ResetBeforeResponse)
}

/// The error with its causes, because hyper's own message omits them.
fn fault(error: &hyper::Error, outcome: Outcome) -> Fault {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    Fault { outcome, error: text }
}
