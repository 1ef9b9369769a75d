//! A connection's stream: reads are counted, the drain asks the socket itself, and closing lingers while the client may
//! send.

use super::{listener::Stream, mode::Mode, server::ConnectionGuard};
use std::{
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

/// How long a client gets to close its side after this side has sent FIN.
const LINGER: Duration = Duration::from_secs(1);

/// A stream that is a connection of its server until it is dropped.
pub(crate) struct ConnIo<S> {
    stream: S,
    guard: ConnectionGuard,
    /// State that is rare, boxed to keep idle connections small.
    rare: Option<Box<Rare>>,
}

#[derive(Default)]
struct Rare {
    /// The first bytes of the connection, read to tell its protocol and not yet handed to hyper.
    prefix: Vec<u8>,
    lingering: Option<Lingering>,
}

/// FIN has been sent, and what the client sends is read and discarded.
struct Lingering {
    client: Client,
    /// When the connection is dropped at the latest.
    timer: Pin<Box<Sleep>>,
}

/// What a client does that has not closed its side.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    /// It is in the middle of a request, or its bytes are unread: closing now would reset the connection.
    Sends,
    /// It may send a further request before it has read the last response.
    MaySend,
}

impl<S> ConnIo<S> {
    pub(crate) fn new(stream: S, guard: ConnectionGuard) -> Self {
        Self { stream, guard, rare: None }
    }

    pub(crate) fn guard(&self) -> &ConnectionGuard {
        &self.guard
    }

    /// Lets the next reads begin with these bytes.
    #[cfg(feature = "http2")]
    pub(crate) fn put_back(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.rare.get_or_insert_default().prefix = bytes;
        }
    }

    #[cold]
    fn read_prefix(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let Some(rare) = &mut self.rare else { return false };
        let length = rare.prefix.len().min(buffer.remaining());
        buffer.put_slice(&rare.prefix[..length]);
        rare.prefix.drain(..length);
        if rare.prefix.is_empty() && rare.lingering.is_none() {
            self.rare = None;
        }
        length > 0
    }
}

impl<S: Stream> ConnIo<S> {
    /// The slow path of a read that is pending for tokio: in a shutdown, in the middle of a request, after a timeout, and
    /// on upgraded connections. May read the socket directly.
    #[cold]
    #[inline(never)]
    fn nothing_to_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let connection = self.guard.connection();
        if connection.state.is_upgraded() {
            connection.register(cx.waker()); // the owner's task, which may change
            return self.pending_or_aborted();
        }
        let before = filled(buffer);
        let polled = if connection.asks_socket() { self.read_socket(cx, buffer) } else { Poll::Pending };
        let state = &self.guard.connection().state;
        match polled.is_pending() {
            true => state.on_nothing_to_read(),
            false => state.on_read(filled(buffer) - before),
        }
        polled
    }

    /// Reads the socket directly, because tokio's readiness may be stale.
    fn read_socket(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_recv(cx, buffer);
        if polled.is_pending() {
            let state = &self.guard.connection().state;
            if self.stream.is_handshaking() {
                state.on_handshake();
            } else if self.stream.has_partial_input() {
                state.on_partial_input();
            }
            state.on_socket_empty();
        }
        polled
    }

    fn mode(&self) -> Mode {
        self.guard.connection().server.mode()
    }

    /// Notes whether a write was blocked, or a flush: TLS accepts bytes before it writes them.
    #[inline]
    fn written<T>(&self, polled: Poll<io::Result<T>>, cx: &Context<'_>) -> Poll<io::Result<T>> {
        let connection = self.guard.connection();
        connection.state.on_write(polled.is_pending());
        if polled.is_pending() && connection.state.is_upgraded() {
            connection.register_writer(cx.waker());
            return self.pending_or_aborted();
        }
        polled
    }

    /// Pending reads and writes of an upgraded connection fail with `ConnectionAborted` after the drain deadline.
    fn pending_or_aborted<T>(&self) -> Poll<io::Result<T>> {
        match self.mode() {
            Mode::Abort => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            _ => Poll::Pending,
        }
    }

    /// Why closing now may reset the connection and destroy a response that the client has not read yet, if it may.
    fn reason_to_linger(&mut self, cx: &mut Context<'_>) -> Option<Client> {
        let state = &self.guard.connection().state;
        // An upgraded connection may be half-closed, so its reads are not drained. A late client is not waited for.
        if state.is_upgraded() || state.is_late() {
            return None;
        }
        if state.may_receive_more() {
            return Some(Client::Sends);
        }
        let mut byte = [0];
        let mut byte = ReadBuf::new(&mut byte);
        match Pin::new(&mut self.stream).poll_recv(cx, &mut byte) {
            Poll::Pending => {
                // A connection that lingers holds its file descriptor: other clients wait for one.
                let connection = self.guard.connection();
                let lingers = connection.state.closes_behind_response() && !connection.server.open.is_starved();
                lingers.then_some(Client::MaySend)
            }
            Poll::Ready(Ok(())) if !byte.filled().is_empty() => Some(Client::Sends),
            Poll::Ready(_) => None, // the client has closed its side
        }
    }

    /// Reads and discards until the client closes its side or the time is up.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(lingering) = self.rare.as_mut().and_then(|rare| rare.lingering.as_mut()) else {
            return Poll::Ready(());
        };
        let connection = self.guard.connection();
        if connection.server.mode() >= Mode::Drain {
            match lingering.client {
                Client::Sends => lingering.end_before_the_drain(connection.server.half_of_the_drain()),
                Client::MaySend => connection.leave(),
            }
        }
        let mut scratch = [MaybeUninit::uninit(); 8192];
        loop {
            if lingering.timer.is_elapsed() || lingering.timer.deadline() <= Instant::now() {
                return Poll::Ready(()); // however much the client still sends
            }
            let mut buffer = ReadBuf::uninit(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return lingering.timer.as_mut().poll(cx),
            }
        }
    }
}

impl Lingering {
    /// The response is complete, so the drain must not end with this connection cut.
    fn end_before_the_drain(&mut self, latest: Option<Instant>) {
        if let Some(latest) = latest.filter(|latest| *latest < self.timer.deadline()) {
            self.timer.as_mut().reset(latest);
        }
    }
}

/// How many bytes of the buffer are filled, without the bounds check of `ReadBuf::filled`.
#[inline(always)]
fn filled(buffer: &ReadBuf<'_>) -> usize {
    buffer.capacity() - buffer.remaining()
}

impl<S: Stream> AsyncRead for ConnIo<S> {
    #[inline]
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.rare.is_some() && self.read_prefix(buffer) {
            return Poll::Ready(Ok(()));
        }
        let before = filled(buffer);
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let connection = self.guard.connection();
        if polled.is_ready() {
            connection.state.on_read(filled(buffer) - before);
        } else if !connection.is_quiet() {
            return self.nothing_to_read(cx, buffer);
        }
        polled
    }
}

impl<S: Stream> AsyncWrite for ConnIo<S> {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(polled, cx)
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(polled, cx)
    }

    #[inline]
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(polled, cx)
    }

    /// Sends FIN. Then reads and discards what arrives until the client closes its side, unless it is known to send
    /// nothing: a socket that is closed with unread bytes, or that gets bytes once it is closed, resets the connection, and
    /// a reset destroys a response that the client has not read yet.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.rare.as_ref().is_none_or(|rare| rare.lingering.is_none()) {
            let client = self.reason_to_linger(cx);
            if client.is_none() && self.stream.sends_fin_on_drop() && !self.guard.connection().state.is_upgraded() {
                return Poll::Ready(Ok(())); // hyper drops the stream next
            }
            // A client that is gone needs no FIN.
            let shut_down = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
            let (Ok(()), Some(client)) = (shut_down, client) else { return Poll::Ready(Ok(())) };
            self.rare.get_or_insert_default().lingering = Some(Lingering { client, timer: Box::pin(sleep(LINGER)) });
        }
        self.poll_linger(cx).map(Ok)
    }
}
