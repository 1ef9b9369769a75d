//! HTTP/2 beside HTTP/1.1 on one port, told apart by the first bytes.

use super::{
    http1, io::ConnIo, listener::Stream, mode::Mode, preface::First, server::Connection, service::HttpService,
    state::Action, tracked::TrackedService,
};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::time::{Sleep, sleep_until};

type Http2<S, T> = http2::Connection<TokioIo<ConnIo<S>>, TrackedService<T>, TokioExecutor>;

pin_project! {
    /// The task of a connection whose protocol shows in its first bytes.
    #[project = Protocol]
    pub(super) enum ConnectionTask<S, T> where S: Stream, T: HttpService {
        Detecting { detecting: Option<Detecting<S, T>> },
        Http1 { #[pin] task: http1::ConnectionTask<S, T> },
        Http2 { task: Http2Task<S, T> },
    }
}

impl<S: Stream, T: HttpService> ConnectionTask<S, T> {
    pub(super) fn new(io: ConnIo<S>, service: T) -> Self {
        Self::Detecting { detecting: Some(Detecting { io, service, registered: false, first: First::default() }) }
    }
}

impl<S: Stream, T: HttpService> Future for ConnectionTask<S, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.as_mut().project() {
                Protocol::Http1 { task } => return task.poll(cx),
                Protocol::Http2 { task } => return task.poll(cx),
                Protocol::Detecting { detecting: None } => return Poll::Ready(()),
                Protocol::Detecting { detecting } => {
                    let polled = detecting.as_mut().map(|detecting| detecting.poll(cx));
                    let is_http2 = match polled {
                        Some(Poll::Pending) => return Poll::Pending,
                        Some(Poll::Ready(Ok(is_http2))) => is_http2,
                        Some(Poll::Ready(Err(_))) | None => return Poll::Ready(()),
                    };
                    if let Some(detected) = detecting.take() {
                        self.set(detected.into_task(is_http2));
                    }
                }
            }
        }
    }
}

/// A connection whose first bytes do not tell its protocol yet.
pub(super) struct Detecting<S, T> {
    io: ConnIo<S>,
    service: T,
    registered: bool,
    first: First,
}

impl<S: Stream, T: HttpService> Detecting<S, T> {
    /// Whether the connection speaks HTTP/2; an error if the connection is over before that is known.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if !std::mem::replace(&mut self.registered, true) {
            self.io.guard().connection().register(cx.waker());
        }
        if let Poll::Ready(known) = self.first.poll_is_http2(&mut self.io, cx) {
            return Poll::Ready(known);
        }
        let connection = self.io.guard().connection();
        if connection.action() == Action::Continue {
            return Poll::Pending;
        }
        if connection.is_cut_late() {
            connection.count_late();
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn into_task(self, is_http2: bool) -> ConnectionTask<S, T> {
        let mut io = self.io;
        io.put_back(self.first.into_bytes());
        match is_http2 {
            true => ConnectionTask::Http2 { task: Http2Task::new(io, self.service) },
            false => ConnectionTask::Http1 { task: http1::ConnectionTask::new(io, self.service) },
        }
    }
}

/// The task of an HTTP/2 connection.
///
/// It sends GOAWAY at a moment in grace, so that not all clients reconnect at once, and at the drain at the latest. In
/// grace, a connection without an open stream waits for its next one: GOAWAY then reaches a client that waits for a
/// response, not one that is about to send a request. h2's client fails a call that it begins while GOAWAY arrives. For
/// the same reason a connection without a first stream waits for it in the drain, for half a second (`Limits::first`).
pub(super) struct Http2Task<S: Stream, T: HttpService> {
    http: Pin<Box<Http2<S, T>>>,
    connection: Arc<Connection>,
    moment: Option<Pin<Box<Sleep>>>,
    sent_goaway: bool,
}

impl<S: Stream, T: HttpService> Http2Task<S, T> {
    fn new(io: ConnIo<S>, service: T) -> Self {
        let connection = io.guard().connection().clone();
        connection.state.on_http2();
        let service = TrackedService::new(service, connection.clone());
        let http = Box::pin(connection.server.protocols.http2.serve_connection(TokioIo::new(io), service));
        Self { http, connection, moment: None, sent_goaway: false }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.http.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let server = &self.connection.server;
        match self.connection.action() {
            Action::Abort => {
                if self.connection.is_cut_late() {
                    self.connection.count_late();
                }
                return Poll::Ready(());
            }
            _ if self.sent_goaway || server.mode() == Mode::Serve => return Poll::Pending,
            Action::GracefulShutdown => {}
            Action::Continue => {
                let moment = || Box::pin(sleep_until(server.pacer.moment_in_grace(&server.context)));
                ready!(self.moment.get_or_insert_with(moment).as_mut().poll(cx));
                if self.connection.state.open_streams() == 0 {
                    return Poll::Pending; // the next stream wakes this task
                }
            }
        }
        self.sent_goaway = true;
        self.connection.state.on_goaway();
        self.http.as_mut().graceful_shutdown();
        self.http.as_mut().poll(cx).map(drop)
    }
}
