//! A listener whose one connection is in memory, so that a suite decides when bytes move.

use graceful::{Listener, Stream};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// Hands out one connection.
#[derive(Debug)]
pub struct MemoryListener(Option<Memory>);

impl MemoryListener {
    /// A listener that hands out the server's side of a connection.
    pub fn new(server: DuplexStream) -> Self {
        Self(Some(Memory(server)))
    }
}

impl Listener for MemoryListener {
    type Stream = Memory;

    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Memory>> {
        self.0.take().map_or(Poll::Pending, |stream| Poll::Ready(Ok(stream)))
    }

    fn name(&self) -> String {
        "memory".to_owned()
    }
}

/// The server's side of a connection in memory.
#[derive(Debug)]
pub struct Memory(DuplexStream);

impl Memory {
    /// A connection whose client has closed it.
    pub fn closed() -> Self {
        Self(tokio::io::duplex(1).0)
    }
}

impl Stream for Memory {}

impl AsyncRead for Memory {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Memory {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
