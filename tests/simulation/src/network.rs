//! The virtual network as the server sees it: sockets whose events are noticed late, and that take partial writes.

use crate::{
    record::{Shared, now},
    scenario::Sockets,
};
use fastrand::Rng;
use graceful::{Listener, Stream};
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
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
    /// The first connection of the backlog.
    first: Option<(TcpStream, SocketAddr)>,
    next: Option<Accepting>,
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
        Ok(Self { listener, first: None, next: None, lateness: Lateness::new(sockets, dice), record })
    }

    /// Resolves when the backlog has a connection.
    fn poll_backlog(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.first.is_none() {
            let listener = self.listener.clone();
            let next = self.next.get_or_insert_with(|| Box::pin(async move { listener.accept().await }));
            let accepted = ready!(next.as_mut().poll(cx));
            self.next = None;
            self.first = Some(accepted?);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes the first connection of the backlog.
    fn accept(&mut self) -> io::Result<VirtualStream> {
        let (stream, client) = self.first.take().ok_or(io::ErrorKind::WouldBlock)?;
        self.record.on(client, |connection| connection.accepted = Some(now()));
        self.record.trace(|| format!("server: accepts {client}"));
        let lateness = Lateness::new(self.lateness.sockets, self.lateness.dice.fork());
        Ok(VirtualStream { stream, lateness, blocked: None, client, record: self.record.clone() })
    }
}

impl Listener for VirtualListener {
    type Stream = VirtualStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<VirtualStream>> {
        match self.poll_backlog(cx) {
            Poll::Ready(backlog) => backlog?,
            Poll::Pending => {
                self.lateness.clear();
                return Poll::Pending;
            }
        }
        ready!(self.lateness.poll_notice(cx));
        Poll::Ready(self.accept())
    }

    fn accept_nonblocking(&mut self) -> io::Result<VirtualStream> {
        match self.poll_backlog(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(backlog) => backlog?,
            Poll::Pending => return Err(io::ErrorKind::WouldBlock.into()),
        }
        self.accept()
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
            self.first = None;
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
    stream: TcpStream,
    lateness: Lateness,
    /// Until when writes are blocked.
    blocked: Option<Pin<Box<Sleep>>>,
    client: SocketAddr,
    record: Shared,
}

impl VirtualStream {
    fn note_io(&self, bytes: usize) {
        if bytes > 0 {
            self.record.on(self.client, |connection| connection.last_io = now());
        }
    }

    /// Whether the client's window is full.
    fn is_full(&self) -> bool {
        let window = self.lateness.sockets.window;
        // A client that is gone has a window no longer.
        self.record.on(self.client, |on| on.ended.is_none() && !on.http2 && on.responded - on.read >= window)
    }

    /// Resolves when the runtime has noticed that there is something to read.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.lateness.has_noticed {
            let mut byte = [0];
            let _ = ready!(self.stream.poll_peek(cx, &mut ReadBuf::new(&mut byte))); // the read fails, too
        }
        self.lateness.poll_notice(cx)
    }

    /// Resolves when the runtime has noticed that there is room to write.
    fn poll_writable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Lateness { sockets, dice, .. } = &mut self.lateness;
        if self.blocked.is_none() && dice.u8(0..100) < sockets.blocked_percent {
            self.blocked = Some(Box::pin(sleep(sockets.late.mul_f64(dice.f64()))));
        }
        loop {
            if let Some(blocked) = &mut self.blocked {
                ready!(blocked.as_mut().poll(cx));
            }
            self.blocked = self.is_full().then(|| Box::pin(sleep(WINDOW_UPDATE)));
            if self.blocked.is_none() {
                return Poll::Ready(());
            }
        }
    }
}

impl AsyncRead for VirtualStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_readable(cx));
        let polled = self.as_mut().poll_recv(cx, buffer);
        if polled.is_pending() {
            self.lateness.clear();
        }
        polled
    }
}

impl AsyncWrite for VirtualStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_writable(cx));
        let length = bytes.len().min(self.lateness.sockets.write);
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &bytes[..length]))?;
        self.note_io(written);
        self.record.on(self.client, |connection| connection.responded += written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.record.trace(|| format!("server: sends FIN to {}", self.client));
        self.record.on(self.client, |connection| connection.fin = Some(now()));
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Stream for VirtualStream {
    fn poll_recv(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.note_io(buffer.filled().len() - before);
        polled
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
