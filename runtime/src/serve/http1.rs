//! The task of one HTTP/1.1 connection.
//!
//! hyper speaks HTTP and decides when a connection closes. This task adds two things:
//!
//! - In the drain, an idle connection is closed by hyper's `graceful_shutdown`, but only after hyper has been polled
//!   with reads that ask the socket itself. So a request that has arrived is served, and its response says
//!   `Connection: close`. A connection with a request in flight closes by its response (`tracked.rs`), or, if the head
//!   of the response is sent already, when the response has ended and the connection is idle.
//! - A client that is late is cut off (`state.rs`).

use super::{
    io::ConnIo, listener::Stream, mode::Mode, server::Connection, service::HttpService, state::Action,
    tracked::TrackedService,
};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

type Http1<S, T> = http1::UpgradeableConnection<TokioIo<ConnIo<S>>, TrackedService<T>>;

/// The task of an HTTP/1.1 connection.
pub(super) struct ConnectionTask<S: Stream, T: HttpService> {
    http: Http1<S, T>,
    connection: Arc<Connection>,
    registered: bool,
    /// Whether the connection was not idle when the drain reached it.
    busy_in_drain: bool,
}

impl<S: Stream, T: HttpService> ConnectionTask<S, T> {
    pub(super) fn new(io: ConnIo<S>, service: T) -> Self {
        let connection = io.guard().connection().clone();
        let service = TrackedService::new(service, connection.clone());
        let http = connection.server.protocols.http1.serve_connection(TokioIo::new(io), service).with_upgrades();
        Self { http, connection, registered: false, busy_in_drain: false }
    }

    /// Decides what follows after hyper has been polled.
    #[cold]
    #[inline(never)]
    fn act(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut action = self.connection.action();
        if action == Action::GracefulShutdown {
            // hyper can end a poll before it has looked at its buffer, and the last poll may have begun before the drain.
            if Pin::new(&mut self.http).poll(cx).is_ready() {
                return Poll::Ready(());
            }
            action = self.connection.action();
        }
        self.busy_in_drain |= action == Action::Continue && self.connection.server.mode() == Mode::Drain;
        let is_late = self.connection.is_cut_late();
        let ended = match action {
            Action::Continue => Poll::Pending,
            Action::Abort => Poll::Ready(()),
            Action::GracefulShutdown => {
                if !self.busy_in_drain {
                    self.connection.state.on_idle_close();
                }
                let mut http = Pin::new(&mut self.http);
                http.as_mut().graceful_shutdown();
                http.poll(cx).map(drop)
            }
        };
        if ended.is_ready() && is_late {
            self.connection.count_late();
        }
        ended
    }
}

impl<S: Stream, T: HttpService> Future for ConnectionTask<S, T> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !this.registered {
            this.registered = true;
            this.connection.register(cx.waker());
        }
        if Pin::new(&mut this.http).poll(cx).is_ready() {
            return Poll::Ready(()); // closed, failed, or upgraded
        }
        if this.connection.is_quiet() { Poll::Pending } else { this.act(cx) }
    }
}
