//! The virtual network as the server sees it: sockets whose events are noticed late, and that take partial writes.

use crate::{
    record::{Connection, Shared, now},
    scenario::Sockets,
};
use fastrand::Rng;
use graceful::{Listener, Stream};
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};
use turmoil::net::{TcpListener, TcpStream};

/// How soon a server whose client's window is full asks for it once more.
const WINDOW_UPDATE: Duration = Duration::from_millis(3);

type Accepting = Pin<Box<dyn Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send>>;

/// A delay that begins with an event, as between the kernel's event and the runtime's next look at it.
struct Lateness {
    sockets: Sockets,
    dice: Rng,
    delay: Option<Pin<Box<Sleep>>>,
    has_noticed: bool,
}

impl Lateness {
    fn new(sockets: Sockets, dice: Rng) -> Self {
        Self { sockets, dice, delay: None, has_noticed: false }
    }

    /// Resolves when the runtime notices an event that has happened. A noticed event stays noticed.
    fn poll_notice(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.has_noticed {
            return Poll::Ready(());
        }
        if self.delay.is_none() && self.dice.u8(0..100) < self.sockets.late_percent {
            self.delay = Some(Box::pin(sleep(self.sockets.late.mul_f64(self.dice.f64()))));
        }
        if let Some(delay) = &mut self.delay {
            ready!(delay.as_mut().poll(cx));
        }
        self.delay = None;
        self.has_noticed = true;
        Poll::Ready(())
    }

    /// Nothing is there to notice.
    fn clear(&mut self) {
        self.has_noticed = false;
    }
}

/// A listener of the virtual network.
pub struct VirtualListener {
    listener: Arc<TcpListener>,
    accepting: Option<Accepting>,
    lateness: Lateness,
    record: Shared,
}

impl VirtualListener {
    /// Listens on port 80 of this host.
    ///
    /// # Errors
    /// Those of turmoil.
    pub async fn bind(sockets: Sockets, dice: Rng, record: Shared) -> io::Result<Self> {
        let listener = Arc::new(TcpListener::bind("0.0.0.0:80").await?);
        Ok(Self { listener, accepting: None, lateness: Lateness::new(sockets, dice), record })
    }

    fn poll_backlog(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let listener = self.listener.clone();
        let accepting = self.accepting.get_or_insert_with(|| Box::pin(async move { listener.accept().await }));
        let accepted = ready!(accepting.as_mut().poll(cx));
        self.accepting = None;
        Poll::Ready(accepted)
    }

    fn stream(&mut self, (stream, client): (TcpStream, SocketAddr)) -> VirtualStream {
        self.record.on(client, |connection| connection.accepted = Some(now()));
        self.record.trace(|| format!("server: accepts {client}"));
        let dice = self.lateness.dice.fork();
        let lateness = Lateness::new(self.lateness.sockets, dice);
        let inner = Inner { stream, lateness, reader: None, blocked: None };
        VirtualStream { inner: Mutex::new(inner), client, record: self.record.clone() }
    }
}

impl Listener for VirtualListener {
    type Stream = VirtualStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<VirtualStream>> {
        ready!(self.lateness.poll_notice(cx));
        match self.poll_backlog(cx) {
            Poll::Ready(accepted) => Poll::Ready(accepted.map(|accepted| self.stream(accepted))),
            Poll::Pending => {
                self.lateness.clear();
                Poll::Pending
            }
        }
    }

    fn accept_nonblocking(&mut self) -> io::Result<VirtualStream> {
        match self.poll_backlog(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(accepted) => accepted.map(|accepted| self.stream(accepted)),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn name(&self) -> String {
        "virtual".to_owned()
    }
}

impl Drop for VirtualListener {
    fn drop(&mut self) {
        if !turmoil::in_simulation() {
            return; // the run is over
        }
        let mut lost = 0;
        while self.poll_backlog(&mut Context::from_waker(Waker::noop())).is_ready() {
            lost += 1;
        }
        self.record.trace(|| format!("server: closes the listener, {lost} connections in its backlog"));
        let mut record = self.record.lock();
        record.lost_in_backlog = lost;
        record.listener_closed = Some(now());
    }
}

/// The server's end of a connection.
pub struct VirtualStream {
    // `recv_nonblocking` reads through a shared reference, as the system does.
    inner: Mutex<Inner>,
    client: SocketAddr,
    record: Shared,
}

struct Inner {
    stream: TcpStream,
    lateness: Lateness,
    /// The task that waits for bytes.
    reader: Option<Waker>,
    /// Until when writes are blocked.
    blocked: Option<Pin<Box<Sleep>>>,
}

impl Inner {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker())) {
            self.reader = Some(cx.waker().clone());
        }
        if !self.lateness.has_noticed {
            let mut byte = [0];
            if self.stream.poll_peek(cx, &mut ReadBuf::new(&mut byte)).is_pending() {
                return Poll::Pending;
            }
            ready!(self.lateness.poll_notice(cx));
        }
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_pending() {
            self.lateness.clear();
        }
        polled
    }

    /// `is_full`: whether the client's window is full.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        is_full: impl Fn() -> bool,
    ) -> Poll<io::Result<usize>> {
        let (sockets, dice) = (self.lateness.sockets, &mut self.lateness.dice);
        if self.blocked.is_none() && dice.u8(0..100) < sockets.blocked_percent {
            self.blocked = Some(Box::pin(sleep(sockets.late.mul_f64(dice.f64()))));
        }
        loop {
            if let Some(blocked) = &mut self.blocked {
                ready!(blocked.as_mut().poll(cx));
            }
            self.blocked = is_full().then(|| Box::pin(sleep(WINDOW_UPDATE)));
            if self.blocked.is_none() {
                break;
            }
        }
        let length = bytes.len().min(sockets.write);
        Pin::new(&mut self.stream).poll_write(cx, &bytes[..length])
    }
}

impl VirtualStream {
    fn inner(&mut self) -> &mut Inner {
        self.inner.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_io(&self, bytes: usize) {
        if bytes > 0 {
            self.record.on(self.client, |connection| connection.last_io = now());
        }
    }
}

impl AsyncRead for VirtualStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = self.inner().poll_read(cx, buffer);
        self.note_io(buffer.filled().len() - before);
        polled
    }
}

impl AsyncWrite for VirtualStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (client, record) = (self.client, self.record.clone());
        let inner = self.inner();
        let window = inner.lateness.sockets.window;
        let is_full = || {
            // A client that is gone has a window no longer.
            let unread = |on: &mut Connection| on.ended.is_none() && !on.http2 && on.responded - on.read >= window;
            record.on(client, unread)
        };
        let polled = inner.poll_write(cx, bytes, is_full);
        if let Poll::Ready(Ok(written)) = polled {
            self.note_io(written);
            self.record.on(client, |connection| connection.responded += written);
        }
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let client = self.client;
        self.record.trace(|| format!("server: sends FIN to {client}"));
        Pin::new(&mut self.inner().stream).poll_shutdown(cx)
    }
}

impl Stream for VirtualStream {
    fn recv_nonblocking(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut inner: MutexGuard<'_, Inner> = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = inner.reader.clone();
        // With the waker of the reader, which stays registered.
        let mut cx = Context::from_waker(reader.as_ref().unwrap_or(Waker::noop()));
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut inner.stream).poll_read(&mut cx, &mut buffer) {
            Poll::Ready(read) => {
                read?;
                self.note_io(buffer.filled().len());
                Ok(buffer.filled().len())
            }
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn sends_fin_on_drop(&self) -> bool {
        true
    }

    fn peer_addr(&self) -> Option<SocketAddr> {
        Some(self.client)
    }
}

impl Drop for VirtualStream {
    fn drop(&mut self) {
        if turmoil::in_simulation() {
            let client = self.client;
            self.record.trace(|| format!("server: drops the connection of {client}"));
            self.record.on(client, |connection| connection.dropped = Some(now()));
        }
    }
}
