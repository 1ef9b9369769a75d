//! A stream whose first bytes were read to detect the protocol, and are read again by its server; and which is read in
//! small portions.

use crate::serve::preface::First;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes are read before the other tasks of the control thread run: a probe is a small request, and a flood of
/// HTTP/2 frames must not keep the thread from other probes.
const PORTION: usize = 2048;

/// A stream that yields the bytes already read before it reads further.
pub(super) struct Rewind<I> {
    io: I,
    first: Vec<u8>,
    read: usize,
    /// Whether a portion was read, so that it is the turn of the other tasks.
    paused: bool,
}

impl<I> Rewind<I> {
    pub(super) fn new(first: First, io: I) -> Self {
        Self { io, first: first.into_bytes(), read: 0, paused: false }
    }
}

impl<I: AsyncRead + Unpin> Rewind<I> {
    fn poll_read_portion(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.paused) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut portion = [0; PORTION];
        let mut portion = ReadBuf::new(&mut portion[..PORTION.min(buffer.remaining())]);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut portion))?;
        buffer.put_slice(portion.filled());
        self.paused = true;
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Rewind<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let unread = &self.first[self.read..];
        if unread.is_empty() {
            return self.poll_read_portion(cx, buffer);
        }
        let length = unread.len().min(buffer.remaining());
        buffer.put_slice(&unread[..length]);
        self.read += length;
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Rewind<I> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::poll_fn, pin::pin};
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn the_other_tasks_run_behind_each_portion() {
        let mut flood = Rewind::new(First::default(), tokio::io::repeat(0));
        let mut bytes = vec![0; 10 * PORTION];
        let mut reading = pin!(flood.read_exact(&mut bytes));
        let mut pauses = 0;
        let read = poll_fn(|cx| {
            let polled = reading.as_mut().poll(cx);
            pauses += usize::from(polled.is_pending());
            polled
        });
        assert_eq!(read.await.unwrap(), 10 * PORTION);
        assert_eq!(pauses, 9);
    }
}
