//! HTTP/2 beside HTTP/1.1 on one port, told apart by the first bytes.

use super::{
    http,
    listener::Stream,
    mode::{Mode, Verdict},
    population::Conn,
    preface::First,
    service::HttpService,
    stream::{Unnoticed, Watched},
    streams::Streams,
};
use hyper::server::conn::http2;
use hyper_util::rt::TokioExecutor;
use pin_project_lite::pin_project;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::time::{Sleep, sleep_until};

type Http2<S, T> = http2::Connection<Watched<S>, Streams<T>, TokioExecutor>;

pin_project! {
    /// The task of a connection whose protocol shows in its first bytes.
    #[project = DriverProjected]
    pub(super) enum Driver<S, T> where S: Stream, T: HttpService {
        Sniffing { sniffing: Option<Sniffing<S, T>> },
        Http1 { #[pin] driver: http::Driver<S, T> },
        Http2 { conn: Arc<Conn>, http: Pin<Box<Http2<S, T>>>, goaway: Option<Pin<Box<Sleep>>>, told: bool },
    }
}

/// A connection that has not said enough yet.
pub(super) struct Sniffing<S, T> {
    io: Watched<S>,
    service: T,
    registered: bool,
    first: First,
}

impl<S: Stream, T: HttpService> Driver<S, T> {
    pub(super) fn new(io: Watched<S>, service: T) -> Self {
        Self::Sniffing { sniffing: Some(Sniffing { io, service, registered: false, first: First::default() }) }
    }
}

impl<S: Stream, T: HttpService> Sniffing<S, T> {
    /// Whether it is HTTP/2; an error if the connection is over before that is known.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if !std::mem::replace(&mut self.registered, true) {
            self.io.member().register(cx.waker());
        }
        if let Poll::Ready(known) = self.first.poll_is_http2(&mut Unnoticed(&mut self.io), cx) {
            return Poll::Ready(known);
        }
        let conn = &self.io.member().conn;
        let is_over = match conn.verdict() {
            Verdict::GoOn => false,
            Verdict::Turn => conn.activity.is_fresh(), // else its first request is on the wire
            Verdict::End => true,
        };
        if is_over { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }

    fn into_driver(self, is_http2: bool) -> Driver<S, T> {
        let mut io = self.io;
        io.put_back(self.first.bytes());
        if !is_http2 {
            io.withhold_if_last();
            io.member().conn.activity.on_first_look();
            return Driver::Http1 { driver: http::Driver::new(io, self.service) };
        }
        let conn = io.member().conn.clone();
        conn.activity.on_http2();
        let streams = Streams::new(self.service, conn.clone());
        let http = Box::pin(conn.server.protocols.http2.serve_connection(io, streams));
        Driver::Http2 { conn, http, goaway: None, told: false }
    }
}

impl<S: Stream, T: HttpService> Future for Driver<S, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.as_mut().project() {
                DriverProjected::Http1 { driver } => return driver.poll(cx),
                DriverProjected::Http2 { conn, http, goaway, told } => return poll_http2(conn, http, goaway, told, cx),
                DriverProjected::Sniffing { sniffing: None } => return Poll::Ready(()),
                DriverProjected::Sniffing { sniffing } => {
                    let is_http2 = match sniffing.as_mut().map(|sniffing| sniffing.poll(cx)) {
                        Some(Poll::Pending) => return Poll::Pending,
                        Some(Poll::Ready(Ok(is_http2))) => is_http2,
                        Some(Poll::Ready(Err(_))) | None => return Poll::Ready(()),
                    };
                    if let Some(sniffed) = sniffing.take() {
                        self.set(sniffed.into_driver(is_http2));
                    }
                }
            }
        }
    }
}

/// Serves, and says GOAWAY when its moment has come: somewhere in grace, so that not all clients come to the other
/// replicas at once, and at the drain at the latest.
///
/// In grace, a connection without a stream waits for its next one: the GOAWAY then reaches a client that waits for its
/// answer, not one that is about to send. Clients such as tonic's lose a call that they begin while it arrives.
fn poll_http2<S: Stream, T: HttpService>(
    conn: &Conn,
    http: &mut Pin<Box<Http2<S, T>>>,
    goaway: &mut Option<Pin<Box<Sleep>>>,
    told: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if http.as_mut().poll(cx).is_ready() {
        return Poll::Ready(());
    }
    match conn.verdict() {
        Verdict::End => return Poll::Ready(()),
        _ if *told || conn.server.mode() == Mode::Serve => return Poll::Pending,
        Verdict::Turn => {}
        Verdict::GoOn => {
            let moment = goaway.get_or_insert_with(|| Box::pin(sleep_until(conn.server.moment_in_grace())));
            ready!(moment.as_mut().poll(cx));
            if conn.activity.streams() == 0 {
                return Poll::Pending; // the next stream comes through here
            }
        }
    }
    *told = true;
    http.as_mut().graceful_shutdown();
    http.as_mut().poll(cx).map(drop)
}
