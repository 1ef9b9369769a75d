//! Listeners whose connections begin with a handshake, such as TLS: done in the connection's own task, under a timeout.

use super::listener::{Listener, Stream};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
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
/// flight meanwhile, and is closed after `timeout`. The drain cannot ask the socket below the handshake for bytes that
/// the runtime has not seen, as it does for TCP, so a request that arrives at an idle connection in the moment in which
/// the drain begins can be lost; `Connection: close` during grace leaves few idle connections. To serve TLS:
///
/// ```no_run
/// # use std::{io, time::Duration};
/// # use tokio::net::{TcpListener, TcpStream};
/// # #[derive(Clone)] struct TlsAcceptor;
/// # impl TlsAcceptor { async fn accept(&self, stream: TcpStream) -> io::Result<TcpStream> { Ok(stream) } }
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
    H: Fn(L::Stream) -> F + Send + 'static,
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
    H: Fn(L::Stream) -> F + Send + 'static,
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
        H: Fn(T) -> F,
    {
        let peer = stream.peer_addr();
        let shaking = Shaking { future: (self.handshake)(stream), timeout: sleep(self.timeout) };
        Handshaking { state: State::Shaking(Box::pin(shaking)), peer }
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
        ready!(self.poll_stream(cx))?.poll_read(cx, buffer)
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
