//! Tells HTTP/2 from HTTP/1.1 by the first bytes of a connection.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, ReadBuf};

/// The first bytes of every HTTP/2 client, which no HTTP/1.1 client can send.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// As much as hyper reads first, so that hyper gets the first bytes in the same portions with and without detection.
const FIRST_READ: usize = 8192;

/// The first bytes of a connection, as far as they have been read.
#[derive(Debug, Default)]
pub(crate) struct First(Vec<u8>);

impl First {
    /// Reads until it is known whether the client speaks HTTP/2; a connection that ends earlier does not.
    pub(crate) fn poll_is_http2<I: AsyncRead + Unpin>(
        &mut self,
        io: &mut I,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        while PREFACE.starts_with(&self.0) {
            if self.0.len() == PREFACE.len() {
                break;
            }
            let mut scratch = [MaybeUninit::uninit(); FIRST_READ];
            let mut buffer = ReadBuf::uninit(&mut scratch);
            ready!(Pin::new(&mut *io).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                break;
            }
            self.0.extend_from_slice(buffer.filled());
        }
        Poll::Ready(Ok(self.0.starts_with(PREFACE)))
    }

    /// The bytes that have been read.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
