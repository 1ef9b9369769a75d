//! Serves HTTP from a listener, through every phase, without a lost request.

mod http;
#[cfg(feature = "http2")]
mod http2;
mod listener;
mod activity;
mod population;
mod service;
mod stream;

pub use http::HttpService;
pub use listener::{Listener, Stream};

use crate::{
    context::{self, Context},
    phase::Phase,
    report::Level,
};
use activity::{Limits, Mode};
use http::Protocols;
use hyper::server::conn::http1;
use population::Server;
use std::{
    fmt,
    future::{Future, IntoFuture, poll_fn},
    io,
    pin::Pin,
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

/// How often connections are looked at for timeouts.
const SWEEP: Duration = Duration::from_secs(1);
/// The same in the drain, where everyone waits for the slowest.
const SWEEP_IN_DRAIN: Duration = Duration::from_millis(100);
/// How long a lack of file descriptors pauses accepting, unless a connection ends before.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

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
    Serve {
        listener,
        service,
        context: None,
        limits: Limits { header: Duration::from_secs(10), body: Duration::from_secs(30), connections: usize::MAX },
        protocols: Protocols {
            http1: http1::Builder::new(),
            #[cfg(feature = "http2")]
            http2: http2::builder(),
        },
    }
}

/// A server that is about to serve; made by [`serve`], and started by awaiting it.
///
/// | phase | what it does |
/// |---|---|
/// | starting | the first poll makes the process ready (`ready = "on-serve"`) |
/// | serving | accepts and serves, with keep-alive |
/// | grace | goes on; ever more answers say `Connection: close` over the first half of grace, all of them in the second; HTTP/2 connections get their GOAWAY one after the other, spread over grace |
/// | draining | empties the kernel's queue of connections, closes the listener, finishes requests, closes idle connections |
/// | hooks | what is left is cut |
///
/// It resolves once its last connection has ended, or at the drain deadline. Connections that were upgraded
/// (WebSocket) count until whoever owns them drops them.
///
/// # Errors
/// An error of the listener itself. Errors of single connections, and a lack of file descriptors, are survived.
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

    /// How many connections may be open at a time; further ones wait in the kernel's queue. Default: **no limit**.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }

    /// How long the head of a request may take from its first byte; then its connection is closed. A connection
    /// that is idle between requests has no limit, so that it is the client who closes it. Default: **10 s**,
    /// and in the drain at most half of the drain.
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.limits.header = timeout;
        self
    }

    /// How long the body of a request may stand still while its handler waits for it; then its connection is
    /// closed. Known for bodies with a `Content-Length`; others end with the drain at the latest. Default: **30 s**,
    /// and in the drain at most half of the drain.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.limits.body = timeout;
        self
    }

    /// Changes hyper's settings for HTTP/1.1, such as the largest head.
    ///
    /// hyper's own `header_read_timeout` closes idle connections too, with a request of theirs on the wire if need
    /// be, and costs every request a timer; [`header_timeout`](Self::header_timeout) does neither.
    pub fn http1(mut self, change: impl FnOnce(&mut http1::Builder)) -> Self {
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

impl<L: Listener, S: HttpService> IntoFuture for Serve<L, S> {
    type Output = io::Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// However the server's future ends, its connections learn of it.
struct FinishOnDrop(Arc<Server>);

impl Drop for FinishOnDrop {
    fn drop(&mut self) {
        self.0.set_mode(Mode::Drain);
    }
}

impl<L: Listener, S: HttpService> Serve<L, S> {
    async fn run(mut self) -> io::Result<()> {
        let context = self.context.take().unwrap_or_else(context::context);
        let server = Server::new(context.clone(), self.limits, &self.listener.name());
        let _finish = FinishOnDrop(server.clone());
        context.ready();
        self.serve_until_the_drain(&server).await?;
        self.empty_the_backlog(&server).await;
        let Self { listener, service, .. } = self;
        drop((listener, service));
        drain(&server).await;
        Ok(())
    }

    async fn serve_until_the_drain(&mut self, server: &Arc<Server>) -> io::Result<()> {
        let mut phases = server.context.0.watch();
        let mut sweeps = sweeps(SWEEP);
        let mut pause: Option<Instant> = None;
        loop {
            let phase = *phases.borrow_and_update();
            server.follow(phase);
            if phase >= Phase::Draining {
                return Ok(());
            }
            let accepting = pause.is_none() && server.has_room();
            tokio::select! {
                biased;
                _ = phases.changed() => {}
                _ = sweeps.tick(), if server.count() > 0 => server.sweep(SWEEP),
                accepted = poll_fn(|cx| self.listener.poll_accept(cx)), if accepting => match accepted {
                    Ok(stream) => {
                        if server.count() == 0 {
                            sweeps.reset(); // the time without connections ages nobody
                        }
                        self.spawn(server, stream);
                    }
                    Err(error) => pause = self.after(error, server)?,
                },
                () = server.one_left(), if !accepting => pause = None,
                () = sleep_until(pause.unwrap_or_else(Instant::now)), if pause.is_some() => pause = None,
            }
        }
    }

    fn spawn(&self, server: &Arc<Server>, stream: L::Stream) {
        http::spawn(server, stream, self.service.clone(), &self.protocols);
    }

    /// What an error of `accept` means: nothing, a pause, or the end.
    fn after(&self, error: io::Error, server: &Server) -> io::Result<Option<Instant>> {
        if is_of_one_connection(&error) {
            return Ok(None);
        }
        if !is_out_of_resources(&error) {
            return Err(error);
        }
        let name = self.listener.name();
        server.say_once(|| {
            server.context.0.recorder.note(
                Level::Warn,
                format!("{name} cannot accept: {error}; connections wait until others have ended. Raise the limit of open files (ulimit -n), or set max_connections below it"),
            );
        });
        Ok(Some(Instant::now() + OUT_OF_DESCRIPTORS))
    }

    /// Accepts what the kernel has completed and queued: closing the listener would reset it.
    async fn empty_the_backlog(&mut self, server: &Arc<Server>) {
        loop {
            match self.listener.accept_now() {
                Ok(stream) => self.spawn(server, stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) if is_out_of_resources(&error) && server.mode() < Mode::Cut => {
                    let _ = tokio::time::timeout(OUT_OF_DESCRIPTORS, server.one_left()).await;
                    server.follow(server.context.phase());
                }
                Err(_) => return,
            }
        }
    }
}

/// Waits until the last connection has ended, or the hooks begin without the rest.
async fn drain(server: &Arc<Server>) {
    let mut hooks = std::pin::pin!(server.context.reached(Phase::Hooks));
    let mut sweeps = sweeps(SWEEP_IN_DRAIN);
    loop {
        tokio::select! {
            biased;
            () = server.emptied() => return,
            () = &mut hooks => return server.set_mode(Mode::Cut),
            _ = sweeps.tick() => server.sweep(SWEEP_IN_DRAIN),
        }
    }
}

/// The ticks of a sweep. Each counts as one period, however late it comes: a stall of this process is no fault of its
/// clients.
fn sweeps(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset | Interrupted | TimedOut)
}

/// EMFILE, ENFILE, ENOBUFS and ENOMEM: they pass.
fn is_out_of_resources(error: &io::Error) -> bool {
    const NO_BUFFERS: i32 = if cfg!(target_os = "linux") { 105 } else { 55 };
    const WINDOWS_TOO_MANY: i32 = 10024;
    error.kind() == io::ErrorKind::OutOfMemory
        || matches!(error.raw_os_error(), Some(23 | 24 | NO_BUFFERS | WINDOWS_TOO_MANY))
}
