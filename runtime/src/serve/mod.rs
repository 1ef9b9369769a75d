//! Serves HTTP from a listener, through every phase, without losing a request.
//!
//! May use: `drain`, `report`, the [`Context`]. Where to look: `accept.rs` has the accept loop of every server and what it
//! does in each phase, `server.rs` the list of connections and the sweep for timeouts, `open_connections.rs` and
//! `sweep_schedule.rs` what wakes the server's task, `state.rs` what a connection is doing and when it is late, `io.rs`
//! its reads and its close, `tracked.rs` and `close_pacer.rs` `Connection: close`, `http1.rs` and `http2.rs` the tasks of
//! connections.

mod listener;
pub(crate) mod close_pacer;
mod mode;
mod protocols;
mod open_connections;
mod sweep_schedule;
mod state_word;
mod state;
mod server;
mod io;
mod handshake;
mod accept;
pub mod tcp;
mod service;
mod tracked;
mod http1;
#[cfg(feature = "http2")]
pub(crate) mod preface;
#[cfg(feature = "http2")]
mod http2;
mod start;

pub use handshake::{Handshake, Handshaking, Transport, with_handshake};
pub use listener::{Listener, Stream};
pub use service::{ConnectionService, HttpService};

use crate::context::Context;
use mode::Limits;
use protocols::Protocols;
use start::Http;
use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

/// Serves a hyper service on a listener until the process has drained; await it.
///
/// See [`Serve`] for what happens in each phase, and for limits and timeouts.
///
/// ```no_run
/// use hyper::{Request, Response, body::Incoming, service::service_fn};
/// use std::convert::Infallible;
///
/// #[graceful::main(grace = "5s")]
/// async fn main() -> std::io::Result<()> {
///     let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
///     let hello = service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new("hello\n".to_owned())) });
///     graceful::serve(listener, hello).await
/// }
/// ```
pub fn serve<L: Listener, S: HttpService>(listener: L, service: S) -> Serve<L, S> {
    serve_with(listener, service)
}

/// [`serve`] for a service that is made for each connection.
pub(crate) fn serve_with<L, S>(listener: L, service: S) -> Serve<L, S> {
    Serve {
        listener,
        service,
        context: None,
        limits: Limits {
            header: Duration::from_secs(10),
            body: Duration::from_secs(30),
            first: Duration::from_millis(500),
            connections: usize::MAX,
        },
        protocols: Protocols::default(),
    }
}

/// A server that is about to serve; made by [`serve`], and started by awaiting it.
///
/// | phase | what it does |
/// |---|---|
/// | starting | the first poll makes the process ready (`ready = "on-serve"`) |
/// | serving | accepts and serves, with keep-alive |
/// | grace, HTTP/1.1 | accepts and serves; a growing share of the responses carries `Connection: close`, all of them in the second half |
/// | grace, HTTP/2 | accepts and serves; one connection after the other gets GOAWAY while a request is open |
/// | draining | empties the kernel's backlog, closes the listener, finishes requests, closes idle connections, HTTP/2 with GOAWAY |
/// | hooks | aborts the connections that are left |
///
/// It resolves once its last connection has ended, or at the drain deadline. An upgraded connection (WebSocket) counts
/// until its owner drops it; at the deadline its reads and writes that have to wait fail. An HTTP/2 connection with a
/// tunnel (CONNECT) counts until the tunnel ends.
///
/// # HTTP/1.1
/// hyper reads and writes every byte; nothing is parsed, withheld or replayed. What differs from hyper alone:
///
/// - In a shutdown, responses get `Connection: close`, except for accepted upgrades. What a client has pipelined behind
///   such a response is not executed; the client sends it again on another connection (RFC 9112, section 9.3.2).
/// - At the drain, idle connections are closed, after a direct read of the socket finds no request. The first part of a
///   head that came in one packet with the request before it is dropped with them.
/// - A client that stops in the middle of a request is cut off, see [`header_timeout`](Self::header_timeout) and
///   [`body_timeout`](Self::body_timeout).
/// - A connection that closes behind a response sends FIN and reads on until its client closes, for up to a second, so
///   that no reset destroys the response. The drain waits for that only while the client still sends its request.
///   Connections that the drain finds idle are closed at once.
///
/// # Errors
/// An error of the listener itself, as described at [`Listener::poll_accept`]; all others are survived.
///
/// # Panics
/// When it is polled outside of a program that `#[graceful::main]` or [`Builder::run`](crate::Builder::run) started,
/// without [`with_context`](Self::with_context).
///
/// # Cancel safety
/// Dropping the future closes the listener; connections finish their requests and close, and the drain of the
/// process waits for them.
#[must_use = "a server does nothing until it is awaited"]
pub struct Serve<L, S> {
    listener: L,
    service: S,
    context: Option<Context>,
    limits: Limits,
    protocols: Protocols,
}

impl<L, S> Serve<L, S> {
    /// Serves as part of this context instead of the process's: for tests with
    /// [`Builder::run_here`](crate::Builder::run_here).
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// How many connections may be open at a time; further ones wait in the kernel's backlog. Default: **no limit**.
    /// A connection that lingers behind its last response counts.
    ///
    /// On Linux, connections also wait while the last 32 file descriptors under the limit of open files (a quarter of a
    /// limit below 128) are all that is left: they are kept for probes and for the program's own files.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }

    /// How long the head of a request may take from its first byte; then its connection is closed. An idle connection
    /// has no limit, so that the client closes it; but a stray byte behind a request counts as the begin of a head.
    /// Default: **10 s**, and in the drain at most half of the drain.
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.limits.header = timeout;
        self
    }

    /// How long a handler may wait for the next bytes of a request's body, until its response begins; then the
    /// connection is closed. It holds for bodies with a `Content-Length`; a chunked body that stalls, and one that a task
    /// reads after the response has begun, end with the drain at the latest. Default: **30 s**, and in the drain at most half of the drain.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.limits.body = timeout;
        self
    }

    /// Replaces the service.
    #[cfg(feature = "axum")]
    pub(crate) fn map_service<T>(self, map: impl FnOnce(S) -> T) -> Serve<L, T> {
        Serve {
            listener: self.listener,
            service: map(self.service),
            context: self.context,
            limits: self.limits,
            protocols: self.protocols,
        }
    }

    /// Changes hyper's settings for HTTP/1.1, such as the largest head.
    ///
    /// With `pipeline_flush(true)`, hyper drops a response that closes its connection while further requests are in its
    /// buffer, so a shutdown loses responses of clients that pipeline.
    ///
    /// hyper's own `header_read_timeout` also closes idle connections, even if a request is on the wire, and costs every
    /// request a timer; [`header_timeout`](Self::header_timeout) does neither.
    pub fn http1(mut self, change: impl FnOnce(&mut hyper::server::conn::http1::Builder)) -> Self {
        change(&mut self.protocols.http1);
        self
    }

    /// Changes hyper's settings for HTTP/2, such as the number of streams. Needs the feature `http2`.
    #[cfg(feature = "http2")]
    pub fn http2(
        mut self,
        change: impl FnOnce(&mut hyper::server::conn::http2::Builder<hyper_util::rt::TokioExecutor>),
    ) -> Self {
        change(&mut self.protocols.http2);
        self
    }
}

impl<L, S> fmt::Debug for Serve<L, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl<L: Listener, S: ConnectionService<L::Stream>> IntoFuture for Serve<L, S> {
    type Output = std::io::Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(accept::run(self.listener, self.context, self.limits, self.protocols, Http(self.service)))
    }
}
