//! A connection's stream: notes what arrives, asks the socket itself before a drain closes it, and closes without
//! destroying an answer that the client has not read yet.

use super::{activity::Mode, listener::Stream, population::Member};
use std::{
    future::Future,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// How long the client gets to close its side, where it may still be sending when this side has closed.
const LINGER: Duration = Duration::from_secs(1);

/// A stream that is a member of its server until it is dropped, whoever owns it by then.
pub(crate) struct Watched<S> {
    stream: S,
    member: Member,
    lingering: Option<Pin<Box<Sleep>>>,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, member: Member) -> Self {
        Self { stream, member, lingering: None }
    }
}

impl<S: Stream> Watched<S> {
    /// The runtime knows of nothing to read; the socket may know better.
    #[cold]
    fn read_straight(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let conn = &self.member.0;
        if conn.activity.is_upgraded() {
            // Its owner's task is the one to wake at the cut, and to tell there.
            conn.register(cx.waker());
            return match conn.server.mode() {
                Mode::Cut => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
                _ => Poll::Pending,
            };
        }
        match self.stream.read_now(buffer.initialize_unfilled()) {
            Ok(bytes) => {
                buffer.advance(bytes);
                self.member.0.activity.on_read(bytes);
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if self.member.0.activity.is_fresh() && self.stream.is_opening() {
                    self.member.0.activity.on_handshake();
                }
                self.member.0.activity.on_nothing_there();
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Whether closing now could reset the connection under an answer that is still on its way.
    fn must_linger(&self) -> bool {
        let activity = &self.member.0.activity;
        !activity.is_quiet() && (activity.may_receive_more() || matches!(self.stream.read_now(&mut [0]), Ok(1..)))
    }

    /// Throws away what the client still sends, until it closes or its time is up.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [MaybeUninit::uninit(); 4096];
        loop {
            if self.lingering.as_ref().is_some_and(|timer| timer.is_elapsed() || timer.deadline() <= Instant::now()) {
                return Poll::Ready(()); // however much it still sends
            }
            let mut buffer = ReadBuf::uninit(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        self.lingering.as_mut().map_or(Poll::Ready(()), |timer| timer.as_mut().poll(cx))
    }
}

impl<S: Stream> AsyncRead for Watched<S> {
    #[inline]
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => {
                self.member.0.activity.on_read(buffer.filled().len() - before);
                Poll::Ready(Ok(()))
            }
            Poll::Pending if self.member.0.wants_certainty() => self.read_straight(cx, buffer),
            other => other,
        }
    }
}

impl<S: Stream> AsyncWrite for Watched<S> {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        #[cfg(feature = "http2")]
        if written.is_ready() {
            self.member.0.activity.on_write();
        }
        written
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        #[cfg(feature = "http2")]
        if written.is_ready() {
            self.member.0.activity.on_write();
        }
        written
    }

    #[inline]
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// FIN first; then, where the client may still be sending, what it sends is read and thrown away: a socket that
    /// is closed with unread bytes resets the connection, and a reset destroys the answer in the client's buffer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.member.0.activity.is_quiet() && self.stream.ends_by_drop() {
            return Poll::Ready(Ok(()));
        }
        if self.lingering.is_none() {
            // A client that is already gone needs no FIN.
            if ready!(Pin::new(&mut self.stream).poll_shutdown(cx)).is_err() || !self.must_linger() {
                return Poll::Ready(Ok(()));
            }
            self.lingering = Some(Box::pin(sleep(LINGER)));
        }
        self.poll_linger(cx).map(Ok)
    }
}
