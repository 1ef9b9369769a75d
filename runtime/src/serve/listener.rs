//! The sources of connections, and what the drain asks of them.

use socket2::SockRef;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// A source of connections for [`serve`](crate::serve): TCP, Unix sockets, or a user's own, such as TLS over one
/// of these.
pub trait Listener: Send + 'static {
    /// A connection.
    type Stream: Stream;

    /// Accepts the next connection.
    ///
    /// # Errors
    /// The error of `accept`. [`serve`](crate::serve) survives errors of one connection, of the network, and a lack of
    /// file descriptors or memory. It ends with an error of the listener itself (`EBADF`, `EFAULT`, `EINVAL`,
    /// `ENOTSOCK`), and with an error without a system code, unless its kind is one of those survived.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>>;

    /// Called once, before the first connection is accepted. The TCP and Unix listeners of tokio lengthen the kernel's
    /// backlog here: tokio asks for 128, and a client that finds the backlog full retries its SYN a second later, when
    /// the process may be gone. The default does nothing.
    fn prepare(&mut self) {}

    /// Accepts a connection from the backlog without waiting. Called until the backlog is empty when the drain begins,
    /// because closing a listener resets the connections in its backlog. The default reports an empty backlog.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if the backlog is empty; else the error of `accept`.
    fn accept_nonblocking(&mut self) -> io::Result<Self::Stream> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Where it listens, for logs and reports.
    fn name(&self) -> String;
}

/// A connection of a [`Listener`].
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Reads what the runtime does not know of yet, because it has not polled the socket since. Called by the task whose
    /// `poll_read` was just pending, and before a connection is closed, so that no request is left unread. The default
    /// is always pending: a request that arrives as the drain begins can be lost.
    ///
    /// # Errors
    /// Those of `recv`, except [`WouldBlock`](io::ErrorKind::WouldBlock), which is pending.
    fn poll_recv(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let _ = (cx, buffer);
        Poll::Pending
    }

    /// Whether bytes have been received since the last read that belong to no read yet, such as the first part of a TLS
    /// record. The drain treats them as the beginning of a request, and closes the connection after the header timeout,
    /// or half of the drain, if none follows. Default: **no**.
    fn has_partial_input(&self) -> bool {
        false
    }

    /// Whether dropping the stream, with nothing left to read, ends the connection as shutting it down does: true for a
    /// plain socket, false for a protocol that announces its end, such as TLS. It saves the drain of many idle
    /// connections a system call for each. Default: **no**.
    fn sends_fin_on_drop(&self) -> bool {
        false
    }

    /// Whether a handshake before the first request is in progress. The drain waits for it. Default: **no**.
    fn is_handshaking(&self) -> bool {
        false
    }

    /// The address of the client, if it has one. Default: **none**.
    fn peer_addr(&self) -> Option<SocketAddr> {
        None
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        TcpListener::poll_accept(self, cx).map_ok(|(stream, _)| without_delay(stream))
    }

    fn prepare(&mut self) {
        lengthen_backlog(&*self);
    }

    fn accept_nonblocking(&mut self) -> io::Result<TcpStream> {
        let (socket, _) = SockRef::from(&*self).accept()?;
        socket.set_nonblocking(true)?;
        TcpStream::from_std(socket.into()).map(without_delay)
    }

    fn name(&self) -> String {
        self.local_addr().map_or_else(|_| "tcp".to_owned(), |address| address.to_string())
    }
}

/// The length of the backlog. The system may allow less (`net.core.somaxconn` on Linux, 4096 by default).
const BACKLOG: i32 = 4096;

/// Lengthens the kernel's backlog; on failure it keeps its length.
fn lengthen_backlog<'s>(listener: impl Into<SockRef<'s>>) {
    let _ = listener.into().listen(BACKLOG);
}

/// Sets TCP_NODELAY; on failure responses are sent a little later.
fn without_delay(stream: TcpStream) -> TcpStream {
    let _ = stream.set_nodelay(true);
    stream
}

/// How many bytes a socket is asked for at a time: zeroing all of hyper's buffer for each of thousands of idle connections
/// costs more than the call.
const ASKED: usize = 512;

/// Reads from a socket, whatever the runtime knows of it.
fn recv<'s>(socket: impl Into<SockRef<'s>>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    let length = buffer.remaining().min(ASKED);
    match io::Read::read(&mut &*socket.into(), buffer.initialize_unfilled_to(length)) {
        Ok(bytes) => {
            buffer.advance(bytes);
            Poll::Ready(Ok(()))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        Err(error) => Poll::Ready(Err(error)),
    }
}

impl Stream for TcpStream {
    fn peer_addr(&self) -> Option<SocketAddr> {
        TcpStream::peer_addr(self).ok()
    }

    fn sends_fin_on_drop(&self) -> bool {
        true
    }

    fn poll_recv(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        recv(&*self, buffer)
    }
}

#[cfg(unix)]
mod unix {
    use super::{Context, Listener, Pin, Poll, ReadBuf, SockRef, Stream, io, lengthen_backlog, recv};
    use tokio::net::{UnixListener, UnixStream};

    impl Listener for UnixListener {
        type Stream = UnixStream;

        fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
            UnixListener::poll_accept(self, cx).map_ok(|(stream, _)| stream)
        }

        fn prepare(&mut self) {
            lengthen_backlog(&*self);
        }

        fn accept_nonblocking(&mut self) -> io::Result<UnixStream> {
            let (socket, _) = SockRef::from(&*self).accept()?;
            socket.set_nonblocking(true)?;
            UnixStream::from_std(socket.into())
        }

        fn name(&self) -> String {
            let address = self.local_addr().ok();
            let path = address.as_ref().and_then(|address| address.as_pathname());
            path.map_or_else(|| "unix".to_owned(), |path| path.display().to_string())
        }
    }

    impl Stream for UnixStream {
        fn sends_fin_on_drop(&self) -> bool {
            true
        }

        fn poll_recv(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            recv(&*self, buffer)
        }
    }
}
