//! Where connections come from, and what the drain must be able to ask of them.

use socket2::SockRef;
use std::{
    io,
    net::SocketAddr,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
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
    /// What `accept` says. [`serve`](crate::serve) survives what the system says of one connection, of the network, and of a
    /// lack of files or memory. It ends with an error that says that the listener itself is broken (`EBADF`, `EFAULT`,
    /// `EINVAL`, `ENOTSOCK`), and with one that has no code of the system, unless its kind is one of those survived.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>>;

    /// Called once, before the first connection is accepted. TCP and Unix listeners of tokio make room there for
    /// connections that come while nobody accepts: tokio asks the kernel for a queue of 128, and a client that finds it
    /// full tries again a second later, when the process may be gone. The default does nothing.
    fn prepare(&mut self) {}

    /// Accepts what the kernel has queued, without waiting: asked when the drain begins, because closing a listener
    /// resets the connections in its queue. The default says that the queue is empty.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if the queue is empty; else what `accept` says.
    fn accept_now(&mut self) -> io::Result<Self::Stream> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Where it listens, for logs and reports.
    fn name(&self) -> String;
}

/// A connection of a [`Listener`].
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Reads what the kernel holds for this connection, without waiting and without asking the runtime, whose news
    /// may be late: asked before an idle connection is closed, so that no request is left unread in it.
    /// The default says that there is nothing.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is nothing; else what `read` says.
    fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let _ = buffer;
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Whether dropping this connection while it is idle ends it as well as shutting it down does: where the kernel
    /// says goodbye, and the stream has no words of its own for that, as TLS has. The default says no.
    fn ends_by_drop(&self) -> bool {
        false
    }

    /// Whether it is still in a handshake that comes before the first request: the drain has patience with it then.
    /// The default says no.
    fn is_opening(&self) -> bool {
        false
    }

    /// The address of the client, if it has one. The default says that it has none.
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
        make_room(&*self);
    }

    fn accept_now(&mut self) -> io::Result<TcpStream> {
        let (socket, _) = SockRef::from(&*self).accept()?;
        socket.set_nonblocking(true)?;
        TcpStream::from_std(socket.into()).map(without_delay)
    }

    fn name(&self) -> String {
        self.local_addr().map_or_else(|_| "tcp".to_owned(), |address| address.to_string())
    }
}

/// How many connections may wait in the kernel's queue, if the system allows as many (`net.core.somaxconn` on Linux, 4096
/// by default).
const QUEUE: i32 = 4096;

/// Makes room in the kernel's queue. If that cannot be, it is as long as it was.
fn make_room<'s>(listener: impl Into<SockRef<'s>>) {
    let _ = listener.into().listen(QUEUE);
}

/// Answers go out when they are written (TCP_NODELAY). If that cannot be set, they go out a little later.
fn without_delay(stream: TcpStream) -> TcpStream {
    let _ = stream.set_nodelay(true);
    stream
}

impl Stream for TcpStream {
    fn peer_addr(&self) -> Option<SocketAddr> {
        TcpStream::peer_addr(self).ok()
    }

    fn ends_by_drop(&self) -> bool {
        true
    }

    fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        io::Read::read(&mut &*SockRef::from(self), buffer)
    }
}

#[cfg(unix)]
mod unix {
    use super::{Context, Listener, Poll, SockRef, Stream, io, make_room};
    use tokio::net::{UnixListener, UnixStream};

    impl Listener for UnixListener {
        type Stream = UnixStream;

        fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
            UnixListener::poll_accept(self, cx).map_ok(|(stream, _)| stream)
        }

        fn prepare(&mut self) {
            make_room(&*self);
        }

        fn accept_now(&mut self) -> io::Result<UnixStream> {
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
        fn ends_by_drop(&self) -> bool {
            true
        }

        fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
            io::Read::read(&mut &*SockRef::from(self), buffer)
        }
    }
}
