//! Listeners whose connections begin with a handshake, such as TLS: done in the connection's own task, under a timeout.

use super::listener::{Listener, Stream};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    ops::Deref,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// A listener each of whose connections goes through `handshake` before a byte of it is served.
///
/// The handshake runs in the connection's task, so that a slow client delays no other; the connection counts as in
/// flight meanwhile, and is closed after `timeout`. The handshake gets the accepted stream as a [`Transport`]: through it
/// the drain asks the socket for bytes that the runtime has not seen, so that no request that has arrived is lost, as
/// over TCP. To serve TLS:
///
/// ```no_run
/// # use std::{io, time::Duration};
/// # use tokio::{io::{AsyncRead, AsyncWrite}, net::TcpListener};
/// # #[derive(Clone)] struct TlsAcceptor;
/// # impl TlsAcceptor { async fn accept<T: AsyncRead + AsyncWrite + Unpin>(&self, stream: T) -> io::Result<T> { Ok(stream) } }
/// # async fn f(tcp: TcpListener, acceptor: TlsAcceptor, service: impl graceful::HttpService) -> io::Result<()> {
/// let listener = graceful::with_handshake(tcp, Duration::from_secs(10), move |stream| {
///     let acceptor = acceptor.clone(); // tokio-rustls', say
///     async move { acceptor.accept(stream).await }
/// });
/// graceful::serve(listener, service).await
/// # }
/// ```
pub fn with_handshake<L, H, F, S>(listener: L, timeout: Duration, handshake: H) -> Handshake<L, H>
where
    L: Listener,
    H: Fn(Transport<L::Stream>) -> F + Send + 'static,
    F: Future<Output = io::Result<S>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Handshake { listener, timeout, handshake }
}

/// The listener that [`with_handshake`] makes.
pub struct Handshake<L, H> {
    listener: L,
    timeout: Duration,
    handshake: H,
}

impl<L: fmt::Debug, H> fmt::Debug for Handshake<L, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").field("listener", &self.listener).field("timeout", &self.timeout).finish()
    }
}

impl<L, H, F, S> Listener for Handshake<L, H>
where
    L: Listener,
    H: Fn(Transport<L::Stream>) -> F + Send + 'static,
    F: Future<Output = io::Result<S>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Handshaking<F, S>;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>> {
        self.listener.poll_accept(cx).map_ok(|stream| self.begin(stream))
    }

    fn prepare(&mut self) {
        self.listener.prepare();
    }

    fn accept_nonblocking(&mut self) -> io::Result<Self::Stream> {
        self.listener.accept_nonblocking().map(|stream| self.begin(stream))
    }

    fn name(&self) -> String {
        self.listener.name()
    }
}

impl<L, H> Handshake<L, H> {
    fn begin<T, F, S>(&self, stream: T) -> Handshaking<F, S>
    where
        T: Stream,
        H: Fn(Transport<T>) -> F,
    {
        let peer = stream.peer_addr();
        let link = Arc::new(Link::default());
        let future = (self.handshake)(Transport { stream, link: link.clone() });
        let shaking = Shaking { future, timeout: sleep(self.timeout) };
        Handshaking { state: State::Shaking(Box::pin(shaking)), link, peer }
    }
}

/// What a [`Handshaking`] and its [`Transport`] share, because the type between them, such as a TLS stream, is the user's.
/// Only the connection's task reads and writes through both, so relaxed ordering suffices.
#[derive(Debug, Default)]
struct Link {
    /// Whether a read that the runtime calls pending asks the socket itself.
    asks_socket: AtomicBool,
    /// Whether the transport has received bytes since the last read of the stream above it.
    has_received: AtomicBool,
}

/// An accepted stream, as the handshake of [`with_handshake`] gets it. It reads and writes like the stream in it, to which
/// it dereferences.
#[derive(Debug)]
pub struct Transport<T> {
    stream: T,
    link: Arc<Link>,
}

impl<T> Deref for Transport<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.stream
    }
}

impl<T: Stream> AsyncRead for Transport<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let mut polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_pending() && self.link.asks_socket.load(Relaxed) {
            polled = Pin::new(&mut self.stream).poll_recv(cx, buffer);
        }
        if buffer.filled().len() > before {
            self.link.has_received.store(true, Relaxed);
        }
        polled
    }
}

impl<T: Stream> AsyncWrite for Transport<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

pin_project! {
    struct Shaking<F> {
        #[pin]
        future: F,
        #[pin]
        timeout: Sleep,
    }
}

enum State<F, S> {
    Shaking(Pin<Box<Shaking<F>>>),
    Done(S),
    Failed,
}

/// A connection in its handshake, or after it.
pub struct Handshaking<F, S> {
    state: State<F, S>,
    link: Arc<Link>,
    peer: Option<SocketAddr>,
}

impl<F, S> fmt::Debug for Handshaking<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Shaking(_) => "Handshaking(in progress)",
            State::Done(_) => "Handshaking(done)",
            State::Failed => "Handshaking(failed)",
        })
    }
}

impl<F, S> Handshaking<F, S>
where
    F: Future<Output = io::Result<S>>,
    S: AsyncRead + AsyncWrite + Unpin,
{
    /// The stream that the handshake has made.
    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut S>>> {
        if let State::Shaking(shaking) = &mut self.state {
            let shaking = shaking.as_mut().project();
            let done = match shaking.future.poll(cx) {
                Poll::Ready(done) => done,
                Poll::Pending => {
                    ready!(shaking.timeout.poll(cx));
                    Err(io::ErrorKind::TimedOut.into())
                }
            };
            self.state = State::Failed;
            self.state = State::Done(done?);
            self.link.has_received.store(false, Relaxed); // the handshake's own
        }
        Poll::Ready(match &mut self.state {
            State::Done(stream) => Ok(Pin::new(stream)),
            _ => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl<F, S> Stream for Handshaking<F, S>
where
    F: Future<Output = io::Result<S>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    fn poll_recv(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let link = self.link.clone();
        link.asks_socket.store(true, Relaxed);
        let polled = self.poll_read(cx, buffer);
        link.asks_socket.store(false, Relaxed);
        polled
    }

    fn has_partial_input(&self) -> bool {
        self.link.has_received.load(Relaxed)
    }

    fn is_handshaking(&self) -> bool {
        matches!(self.state, State::Shaking(_))
    }

    fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }
}

impl<F, S> AsyncRead for Handshaking<F, S>
where
    F: Future<Output = io::Result<S>>,
    S: AsyncRead + AsyncWrite + Unpin,
{
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = ready!(ready!(self.poll_stream(cx))?.poll_read(cx, buffer));
        self.link.has_received.store(false, Relaxed);
        Poll::Ready(read)
    }
}

impl<F, S> AsyncWrite for Handshaking<F, S>
where
    F: Future<Output = io::Result<S>>,
    S: AsyncRead + AsyncWrite + Unpin,
{
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_stream(cx))?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_stream(cx))?.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        matches!(&self.state, State::Done(stream) if stream.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_stream(cx))?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.state {
            State::Done(stream) => Pin::new(stream).poll_shutdown(cx),
            _ => Poll::Ready(Ok(())), // nothing to shut down
        }
    }
}

#[cfg(test)]
mod tests;
