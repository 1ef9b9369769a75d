//! One client connection, without a pool and without retries.

use super::{
    endpoint::Endpoint,
    fault::Fault,
    grpc::Call,
    request::{Body, Exchange, Mode, read, request},
    transport,
};
use crate::report::Outcome;
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{cell::Cell, net::SocketAddr, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout_at},
};

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    sender: Sender,
    mode: Mode,
    driver: JoinHandle<hyper::Result<()>>,
}

/// Why a request has no response.
#[derive(Debug)]
pub(super) enum Unanswered {
    Failed(Fault),
    /// The connection ended before a byte of the request was sent.
    Unsent,
}

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// The connection is refused or fails.
    pub(super) async fn open(
        address: SocketAddr,
        endpoint: &Endpoint,
        mode: Mode,
        deadline: Instant,
    ) -> Result<Self, Fault> {
        let io = TokioIo::new(transport::connect(address, endpoint, mode.is_http2(), deadline).await?);
        let (sender, driver) = if mode.is_http2() {
            let (sender, connection) =
                http2::handshake(TokioExecutor::new(), io).await.map_err(|error| before_response(&error))?;
            (Sender::Http2(sender), tokio::spawn(connection))
        } else {
            let (sender, connection) = http1::handshake(io).await.map_err(|error| before_response(&error))?;
            (Sender::Http1(sender), tokio::spawn(connection))
        };
        Ok(Self { sender, mode, driver })
    }

    /// Waits until the connection can send a request.
    ///
    /// # Errors
    /// The server has closed the connection, or sent GOAWAY.
    pub(super) async fn ready(mut self) -> Result<Self, Closed> {
        let ready = match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await,
            Sender::Http2(sender) => sender.ready().await,
        };
        match ready {
            Ok(()) => Ok(self),
            Err(_) if self.mode.is_http2() && self.driver.is_finished() => match (&mut self.driver).await {
                Ok(Ok(())) => Err(Closed::Asked),
                _ => Err(Closed::Idle),
            },
            Err(_) if self.mode.is_http2() => Err(Closed::Asked),
            Err(_) => Err(Closed::Idle),
        }
    }

    /// Sends one request and waits for the head of the response.
    ///
    /// # Errors
    /// The connection ends before.
    pub(super) async fn send(&mut self, request: Request<Body>) -> Result<Response<Incoming>, Unanswered> {
        let sent = match &mut self.sender {
            Sender::Http1(sender) => sender.try_send_request(request).await,
            Sender::Http2(sender) => sender.try_send_request(request).await,
        };
        sent.map_err(|mut error| match error.take_message() {
            Some(_) => Unanswered::Unsent,
            None => Unanswered::Failed(before_response(error.error())),
        })
    }

    /// Sends the request of the mode and reads the response to its end.
    ///
    /// # Errors
    /// There is no complete response.
    pub(super) async fn exchange(&mut self, endpoint: &Endpoint) -> Result<Exchange, Unanswered> {
        let response = self.send(request(endpoint, self.mode)).await?;
        let call = self.call(endpoint);
        read(response, call).await.map_err(Unanswered::Failed)
    }

    /// The call of a request of the mode.
    fn call<'e>(&self, endpoint: &'e Endpoint) -> Option<&'e Call> {
        endpoint.call.as_ref().filter(|_| self.mode == Mode::Grpc).map(|(_, call)| call)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // An HTTP/2 connection outlives its sender for open streams only; nothing waits for them.
        if self.mode.is_http2() {
            self.driver.abort();
        }
    }
}

impl Unanswered {
    /// The fault of a request on a new connection.
    pub(super) fn fault(self) -> Fault {
        match self {
            Self::Failed(fault) => fault,
            Self::Unsent => Fault::closed_at_once(),
        }
    }
}

/// Why a kept connection cannot take a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// The server closed the idle connection.
    Idle,
    /// The server sent GOAWAY.
    Asked,
}

/// Sends one request on a connection of its own, which must be one that the load can repeat.
///
/// # Errors
/// The request fails, or has no complete response within the limit.
pub(crate) async fn fetch(
    address: SocketAddr,
    endpoint: &Endpoint,
    mode: Mode,
    limit: Duration,
) -> Result<Exchange, Fault> {
    let deadline = Instant::now() + limit;
    let began = Cell::new(false);
    let exchange = async {
        let mut connection = Connection::open(address, endpoint, mode, deadline).await?;
        let response = connection.send(request(endpoint, mode)).await.map_err(Unanswered::fault)?;
        began.set(true);
        read(response, connection.call(endpoint)).await
    };
    timeout_at(deadline, exchange).await.unwrap_or_else(|_| {
        if began.get() && mode == Mode::Grpc {
            let advice = "the call began and did not end within --timeout; name a method whose calls end: \
                          --grpc package.Service/Method";
            return Err(Fault::new(Outcome::Protocol, advice));
        }
        let fault = Fault::timed_out(limit);
        let advice = "the response began and did not end; name endless responses with --stream";
        Err(if began.get() { Fault { error: format!("{}: {advice}", fault.error), ..fault } } else { fault })
    })
}

fn before_response(error: &hyper::Error) -> Fault {
    Fault::of(error, Outcome::ResetBeforeResponse)
}
