//! Serves any protocol: each connection is handed to a function of the user, counted, drained, and aborted at the drain
//! deadline.

use super::{
    accept::{self, Handle},
    listener::Listener,
    mode::{Limits, Mode},
    protocols::Protocols,
    server::{ConnectionGuard, Server},
};
use crate::context::Context;
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::{Future, IntoFuture},
    io,
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
    time::Duration,
};

/// Serves a protocol of the user's own on a listener until the process has drained; await it.
///
/// The handler gets each connection and the context; the connection counts as in flight until the handler's future
/// has ended. A handler that reads in a loop should end it when [`Context::draining`] resolves; at the drain deadline
/// its future is dropped.
///
/// ```no_run
/// use tokio::{io::{AsyncBufReadExt, AsyncWriteExt, BufReader}, net::{TcpListener, TcpStream}};
///
/// async fn echo(stream: TcpStream, ctx: graceful::Context) {
///     let mut stream = BufReader::new(stream);
///     let mut draining = std::pin::pin!(ctx.draining());
///     let mut line = String::new();
///     loop {
///         tokio::select! {
///             _ = &mut draining => break,
///             read = stream.read_line(&mut line) => if read.unwrap_or(0) == 0 { break },
///         }
///         if stream.write_all(line.as_bytes()).await.is_err() {
///             break;
///         }
///         line.clear();
///     }
/// }
///
/// #[graceful::main(grace = "5s")]
/// async fn main() -> std::io::Result<()> {
///     graceful::tcp::serve(TcpListener::bind("0.0.0.0:7000").await?, echo).await
/// }
/// ```
pub fn serve<L, H, F>(listener: L, handler: H) -> Serve<L, H>
where
    L: Listener,
    H: Fn(L::Stream, Context) -> F + Send + 'static,
    F: Future<Output: Send> + Send + 'static,
{
    let unused = Duration::MAX; // the timeouts are those of HTTP
    Serve {
        listener,
        handler,
        context: None,
        limits: Limits { header: unused, body: unused, first: unused, connections: usize::MAX },
    }
}

/// A server of any protocol that is about to serve; made by [`serve`], and started by awaiting it.
///
/// It makes the process ready, accepts through grace, empties the kernel's backlog at the drain, closes the listener,
/// and resolves once the last handler has ended, or at the drain deadline.
///
/// # Errors
/// An error of the listener itself, as described at [`Listener::poll_accept`]; all others are survived.
///
/// # Panics
/// When it is polled outside of a program that `#[graceful::main]` or [`Builder::run`](crate::Builder::run) started,
/// without [`with_context`](Self::with_context).
///
/// # Cancel safety
/// Dropping the future closes the listener; handlers go on, and the drain of the process waits for them.
#[must_use = "a server does nothing until it is awaited"]
pub struct Serve<L, H> {
    listener: L,
    handler: H,
    context: Option<Context>,
    limits: Limits,
}

impl<L, H> Serve<L, H> {
    /// Serves as part of this context instead of the process's: for tests with
    /// [`Builder::run_here`](crate::Builder::run_here).
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// How many connections may be open at a time; further ones wait in the kernel's backlog. Default: **no limit**.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }
}

impl<L, H> fmt::Debug for Serve<L, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").finish_non_exhaustive()
    }
}

impl<L, H, F> IntoFuture for Serve<L, H>
where
    L: Listener,
    H: Fn(L::Stream, Context) -> F + Send + 'static,
    F: Future<Output: Send> + Send + 'static,
{
    type Output = io::Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(accept::run(self.listener, self.context, self.limits, Protocols::default(), Handler(self.handler)))
    }
}

struct Handler<H>(H);

impl<S, H, F> Handle<S> for Handler<H>
where
    H: Fn(S, Context) -> F + Send + 'static,
    F: Future<Output: Send> + Send + 'static,
{
    fn start(&self, server: &Arc<Server>, stream: S) {
        let Some(guard) = server.join() else { return };
        server.context.0.note_traffic(); // of its protocol, only the connection is visible here
        guard.connection().state.on_upgrade(); // the handler decides when the connection ends
        let handler = (self.0)(stream, server.context.clone());
        tokio::spawn(ConnectionTask { handler, guard, registered: false });
    }
}

pin_project! {
    /// The task of a connection: its handler, until that ends or the drain deadline passes.
    struct ConnectionTask<F> {
        #[pin]
        handler: F,
        guard: ConnectionGuard,
        registered: bool,
    }
}

impl<F: Future> Future for ConnectionTask<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let this = self.project();
        if !std::mem::replace(this.registered, true) {
            this.guard.connection().register(cx.waker());
        }
        if this.handler.poll(cx).is_ready() || this.guard.connection().server.mode() == Mode::Abort {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
