//! A connection's stream: notes what arrives, asks the socket itself before a drain closes it, and closes without
//! destroying an answer that the client has not read yet.

use super::{listener::Stream, mode::Mode, population::Member};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use std::{
    future::Future,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// How long the client gets to close its side, where it may still be sending when this side has closed.
const LINGER: Duration = Duration::from_secs(1);

/// How much is read at once where what is read matters.
const SCRATCH: usize = 8192;

/// A stream that is a member of its server until it is dropped, whoever owns it by then.
///
/// It speaks hyper's traits itself, around the adapter and not inside of it, so that it is small enough to become a part
/// of hyper's own reads and writes.
pub(crate) struct Watched<S> {
    io: TokioIo<Counted<S>>,
    /// What few connections need, and those for a moment.
    aside: Option<Box<Aside>>,
}

/// A stream that knows how much its last read has brought, which hyper's traits do not tell.
struct Counted<S> {
    stream: S,
    member: Member,
}

impl<S: Stream> Counted<S> {
    /// The runtime knows of nothing to read; the socket may know better.
    fn read_straight(&self, read: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let activity = &self.member.conn.activity;
        match self.stream.read_now(read.initialize_unfilled()) {
            Ok(bytes) => {
                read.advance(bytes);
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if activity.is_fresh() && self.stream.is_opening() {
                    activity.on_handshake();
                }
                activity.on_nothing_there();
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

#[derive(Default)]
struct Aside {
    /// What was read from the stream, and is to be read again.
    unread: Vec<u8>,
    /// The end of lingering.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, member: Member) -> Self {
        Self { io: TokioIo::new(Counted { stream, member }), aside: None }
    }

    pub(crate) fn member(&self) -> &Member {
        &self.io.inner().member
    }

    /// How many bytes are to be read again.
    pub(crate) fn unread(&self) -> usize {
        self.aside.as_ref().map_or(0, |aside| aside.unread.len())
    }

    /// Lets these bytes be read again, before all others.
    pub(crate) fn put_back(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.aside.get_or_insert_default().unread.splice(0..0, bytes.iter().copied());
        }
    }

    fn stream(&self) -> &S {
        &self.io.inner().stream
    }

    fn stream_mut(&mut self) -> &mut S {
        &mut self.io.inner_mut().stream
    }

    /// Reads again, if there is something to be read again.
    fn reads_aside(&mut self, buffer: &mut ReadBufCursor<'_>) -> bool {
        let Some(aside) = &mut self.aside else { return false };
        let length = aside.unread.len().min(buffer.remaining());
        buffer.put_slice(&aside.unread[..length]);
        aside.unread.drain(..length);
        if aside.unread.is_empty() && aside.lingering.is_none() {
            self.aside = None;
        }
        length > 0
    }
}

impl<S: Stream> Watched<S> {
    /// Reads, where every read can matter.
    #[cold]
    #[inline(never)]
    fn poll_read_watchfully(&mut self, cx: &mut Context<'_>, mut buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.member().conn.activity.is_new() {
            // The first read is the first thing that the connection's task does.
            self.member().register(cx.waker());
            self.member().conn.activity.on_known();
        }
        if self.member().conn.activity.is_withheld() {
            return Poll::Pending; // the connection's task looks for what is withheld before it sleeps
        }
        if self.reads_aside(&mut buffer) {
            return Poll::Ready(Ok(()));
        }
        if self.member().conn.activity.is_upgraded() {
            return match Pin::new(&mut self.io).poll_read(cx, buffer) {
                Poll::Pending => self.pend_as_another(cx),
                polled => polled,
            };
        }
        // By way of a buffer of its own, as what hyper's has got cannot be taken back.
        let mut scratch = [MaybeUninit::uninit(); SCRATCH];
        let length = buffer.remaining().min(SCRATCH);
        let mut read = ReadBuf::uninit(&mut scratch[..length]);
        let mut polled = Pin::new(self.stream_mut()).poll_read(cx, &mut read);
        if polled.is_pending() && self.member().conn.wants_certainty() {
            polled = self.io.inner().read_straight(&mut read);
        }
        ready!(polled)?;
        let (conn, read) = (&self.member().conn, read.filled());
        if conn.withholds(read) {
            conn.activity.on_withheld(read.len());
            self.aside.get_or_insert_default().unread.extend(read);
            return Poll::Pending;
        }
        if !read.is_empty() {
            conn.activity.on_read(read.len());
        }
        buffer.put_slice(read);
        Poll::Ready(Ok(()))
    }

    /// Withholds what was put back, if the request that it begins is to be the last.
    #[cfg(feature = "http2")]
    pub(crate) fn withhold_if_last(&mut self) {
        if self.member().conn.server.mode() > Mode::Serve && self.unread() > 0 {
            let more = self.reads_more(); // the whole head, most often
            self.member().conn.activity.on_read(more);
            let head = self.aside.as_ref().map_or(&[][..], |aside| &aside.unread);
            if self.member().conn.is_last(head) {
                self.member().conn.activity.on_withheld(head.len());
            }
        }
    }

    /// Asks the socket itself what the client has sent that nobody has read yet: how many bytes, which are to be read.
    pub(crate) fn reads_more(&mut self) -> usize {
        let mut scratch = [0; SCRATCH];
        match self.stream().read_now(&mut scratch) {
            Ok(bytes @ 1..) => {
                self.aside.get_or_insert_default().unread.extend(&scratch[..bytes]);
                bytes
            }
            _ => 0,
        }
    }

    /// Whether it may be dropped without a word, once nothing was there to be read.
    pub(crate) fn ends_by_drop(&self) -> bool {
        self.stream().ends_by_drop() && !self.member().conn.activity.may_receive_more()
    }

    /// The task of this connection's new owner is the one to wake at the cut, and to tell there.
    fn pend_as_another(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.member().register(cx.waker());
        match self.member().conn.server.mode() {
            Mode::Cut => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            _ => Poll::Pending,
        }
    }

    /// Whether closing now could reset the connection under an answer that is still on its way.
    fn must_linger(&self) -> bool {
        let activity = &self.member().conn.activity;
        // Another protocol's owner may close his side alone, and read on.
        !activity.is_upgraded() && (activity.may_receive_more() || matches!(self.stream().read_now(&mut [0]), Ok(1..)))
    }

    /// Throws away what the client still sends, until it closes or its time is up.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [MaybeUninit::uninit(); SCRATCH];
        loop {
            let timer = self.aside.as_ref().and_then(|aside| aside.lingering.as_ref());
            if timer.is_some_and(|timer| timer.is_elapsed() || timer.deadline() <= Instant::now()) {
                return Poll::Ready(()); // however much it still sends
            }
            let mut buffer = ReadBuf::uninit(&mut scratch);
            match Pin::new(self.stream_mut()).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        let timer = self.aside.as_mut().and_then(|aside| aside.lingering.as_mut());
        timer.map_or(Poll::Ready(()), |timer| timer.as_mut().poll(cx))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    #[inline]
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.member.read = (buffer.capacity() - buffer.remaining()) as u32; // hyper's adapter hands over an empty buffer
        polled
    }
}

impl<S: Stream> Read for Watched<S> {
    #[inline(always)]
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.aside.is_some() || self.member().conn.is_watchful() {
            return self.poll_read_watchfully(cx, buffer);
        }
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        let member = self.member();
        member.conn.activity.on_read(member.read as usize);
        polled
    }
}

impl<S: Stream> Write for Watched<S> {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.member().conn.activity.on_write(&[io::IoSlice::new(bytes)]);
        Pin::new(self.stream_mut()).poll_write(cx, bytes)
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.member().conn.activity.on_write(slices);
        Pin::new(self.stream_mut()).poll_write_vectored(cx, slices)
    }

    #[inline]
    fn is_write_vectored(&self) -> bool {
        self.stream().is_write_vectored()
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream_mut()).poll_flush(cx)
    }

    /// FIN first; then, where the client may still be sending, what it sends is read and thrown away: a socket that
    /// is closed with unread bytes resets the connection, and a reset destroys the answer in the client's buffer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.member().conn.activity.is_turning() {
            return Poll::Ready(Ok(())); // the connection's task decides
        }
        if self.aside.as_ref().is_none_or(|aside| aside.lingering.is_none()) {
            // A client that is already gone needs no FIN.
            if ready!(Pin::new(self.stream_mut()).poll_shutdown(cx)).is_err() || !self.must_linger() {
                return Poll::Ready(Ok(()));
            }
            self.aside.get_or_insert_default().lingering = Some(Box::pin(sleep(LINGER)));
        }
        self.poll_linger(cx).map(Ok)
    }
}

/// Reads of a stream before it is known who reads: nothing is withheld.
#[cfg(feature = "http2")]
pub(crate) struct Unnoticed<'a, S>(pub(crate) &'a mut Watched<S>);

#[cfg(feature = "http2")]
impl<S: Stream> AsyncRead for Unnoticed<'_, S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let counted = self.0.io.inner_mut();
        let before = buffer.filled().len();
        let mut polled = Pin::new(&mut counted.stream).poll_read(cx, buffer);
        if polled.is_pending() && counted.member.conn.wants_certainty() {
            polled = counted.read_straight(buffer);
        }
        if polled.is_ready() {
            counted.member.conn.activity.on_read(buffer.filled().len() - before);
        }
        polled
    }
}
