//! Which HTTP a connection speaks shows in its first bytes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, ReadBuf};

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
}
