//! Which HTTP a connection speaks shows in its first bytes.

use std::{
    io,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What every HTTP/2 client says first, and no HTTP/1.1 client can.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The first bytes of a connection, as far as they have arrived.
#[derive(Debug, Default)]
pub(crate) struct First {
    bytes: [u8; PREFACE.len()],
    length: usize,
}

impl First {
    /// Reads until it is known whether this is HTTP/2; what has ended before is not.
    pub(crate) fn poll_is_http2<I: AsyncRead + Unpin>(
        &mut self,
        io: &mut I,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        while PREFACE.starts_with(&self.bytes[..self.length]) {
            if self.length == PREFACE.len() {
                return Poll::Ready(Ok(true));
            }
            let mut buffer = ReadBuf::new(&mut self.bytes[self.length..]);
            ready!(Pin::new(&mut *io).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                break;
            }
            self.length += buffer.filled().len();
        }
        Poll::Ready(Ok(false))
    }

    /// What was read.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The stream as if nothing had been read from it.
    pub(crate) fn before<I>(self, io: I) -> Rewound<I> {
        Rewound { io, first: self.bytes, unread: 0..self.length }
    }
}

/// A stream whose first bytes were read before it was known who reads them.
pub(crate) struct Rewound<I> {
    io: I,
    first: [u8; PREFACE.len()],
    unread: Range<usize>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Rewound<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buffer);
        }
        let unread = &self.first[self.unread.clone()];
        let taken = unread.len().min(buffer.remaining());
        buffer.put_slice(&unread[..taken]);
        self.unread.start += taken;
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Rewound<I> {
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
