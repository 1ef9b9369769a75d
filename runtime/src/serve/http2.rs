//! HTTP/2 beside HTTP/1.1 on one port, told apart by the first bytes.

use super::{
    activity::{Mode, Verdict},
    http::{self, HttpService, Protocols},
    listener::Stream,
    population::Conn,
    service::Noted,
    stream::Watched,
};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep_until},
};

pub(super) type Builder = http2::Builder<TokioExecutor>;
type Http2<S, T> = http2::Connection<TokioIo<Rewound<S>>, Noted<T>, TokioExecutor>;

/// What every HTTP/2 client says first, and no HTTP/1.1 client can.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// hyper's settings, with pings that notice a client that is gone.
pub(super) fn builder() -> Builder {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

pin_project! {
    /// The task of a connection whose protocol shows in its first bytes.
    #[project = DriverProjected]
    pub(super) enum Driver<S, T> where S: Stream, T: HttpService {
        Sniffing { sniffing: Option<Sniffing<S, T>> },
        Http1 { #[pin] driver: http::Driver<Rewound<S>, T> },
        Http2 { conn: Arc<Conn>, http: Pin<Box<Http2<S, T>>>, goaway: Option<Pin<Box<Sleep>>>, told: bool },
    }
}

/// A connection that has not said enough yet.
pub(super) struct Sniffing<S, T> {
    io: Watched<S>,
    conn: Arc<Conn>,
    service: T,
    protocols: Protocols,
    registered: bool,
    first: [u8; PREFACE.len()],
    length: usize,
}

impl<S: Stream, T: HttpService> Driver<S, T> {
    pub(super) fn new(io: Watched<S>, conn: Arc<Conn>, service: T, protocols: &Protocols) -> Self {
        let protocols = protocols.clone();
        let first = [0; PREFACE.len()];
        Self::Sniffing {
            sniffing: Some(Sniffing { io, conn, service, protocols, registered: false, first, length: 0 }),
        }
    }
}

impl<S: Stream, T: HttpService> Sniffing<S, T> {
    /// Whether it is HTTP/2; an error if the connection is over before that is known.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if !std::mem::replace(&mut self.registered, true) {
            self.conn.register(cx.waker());
        }
        while PREFACE.starts_with(&self.first[..self.length]) {
            if self.length == PREFACE.len() {
                return Poll::Ready(Ok(true));
            }
            let mut buffer = ReadBuf::new(&mut self.first[self.length..]);
            match Pin::new(&mut self.io).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => break,
                Poll::Ready(Ok(())) => self.length += buffer.filled().len(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if self.conn.verdict() == Verdict::GoOn => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            }
        }
        Poll::Ready(Ok(false))
    }

    fn into_driver(self, is_http2: bool) -> Driver<S, T> {
        let io = Rewound { io: self.io, first: self.first, unread: 0..self.length };
        if !is_http2 {
            let driver = http::Driver::new(io, self.conn, self.service, &self.protocols.http1);
            return Driver::Http1 { driver };
        }
        self.conn.activity.on_http2();
        let service = Noted::new(self.service, self.conn.clone());
        let http = Box::pin(self.protocols.http2.serve_connection(TokioIo::new(io), service));
        Driver::Http2 { conn: self.conn, http, goaway: None, told: false }
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
        Verdict::Finish => {}
        Verdict::GoOn => {
            let moment = goaway.get_or_insert_with(|| Box::pin(sleep_until(conn.server.moment_in_grace())));
            ready!(moment.as_mut().poll(cx));
        }
    }
    *told = true;
    http.as_mut().graceful_shutdown();
    http.as_mut().poll(cx).map(drop)
}

/// A stream whose first bytes were read before it was known who reads them.
pub(super) struct Rewound<S> {
    io: Watched<S>,
    first: [u8; PREFACE.len()],
    unread: std::ops::Range<usize>,
}

impl<S: Stream> AsyncRead for Rewound<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buffer);
        }
        let unread = &self.first[self.unread.clone()];
        let taken = unread.len().min(buffer.remaining());
        buffer.put_slice(&unread[..taken]);
        self.unread.start += taken;
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream> AsyncWrite for Rewound<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
