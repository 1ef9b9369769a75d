//! The slow body of an upload.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Interval, interval_at};

/// The bytes of a piece.
const PIECE: &[u8] = &[b'x'; 1024];
/// The number of pieces.
const PIECES: u32 = 12;
/// The longest time of a body.
const LONGEST: Duration = Duration::from_secs(3);

/// A body of 12 KB in 12 pieces at equal distances, over 3 s or a third of the time limit of a request. Its length is
/// known, so that a server can tell a body that is cut from a complete one.
#[derive(Debug)]
pub(super) struct Upload {
    left: u32,
    clock: Interval,
}

impl Upload {
    pub(super) fn new(limit: Duration) -> Self {
        let pause = LONGEST.min(limit / 3) / PIECES;
        let pause = pause.max(Duration::from_millis(1));
        Self { left: PIECES, clock: interval_at(Instant::now() + pause, pause) }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        ready!(self.clock.poll_tick(cx));
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PIECE)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::from(self.left) * PIECE.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test(start_paused = true)]
    async fn a_body_takes_three_seconds_or_a_third_of_the_limit() {
        for (limit, expected) in [(60, 3000), (3, 1000)] {
            let (start, body) = (Instant::now(), Upload::new(Duration::from_secs(limit)));
            assert_eq!(body.size_hint().exact(), Some(12 * 1024));
            assert_eq!(body.collect().await.unwrap().to_bytes().len(), 12 * 1024);
            assert!(start.elapsed().as_millis().abs_diff(expected) < 20, "{:?}", start.elapsed());
        }
    }
}
