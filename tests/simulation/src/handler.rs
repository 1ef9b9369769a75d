//! The service: each request's path says which entry of the scenario it is handled by.

use crate::{
    record::{Shared, now},
    scenario::Handling,
};
use bytes::Bytes;
use graceful::Context;
use http_body_util::BodyExt;
use hyper::{
    Request, Response,
    body::{Body, Frame, Incoming, SizeHint},
    header::{DATE, HeaderValue},
};
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{self, Poll, ready},
};
use tokio::time::{Sleep, sleep};

/// Handles a request, as its entry of the scenario says.
///
/// # Errors
/// None that closes the connection.
pub async fn handle(
    request: Request<Incoming>,
    handling: Arc<[Handling]>,
    context: Context,
    record: Shared,
) -> Result<Response<Chunks>, Infallible> {
    let number = request.uri().path().trim_start_matches('/').parse().unwrap_or(usize::MAX);
    record.exchange(number, |exchange| exchange.calls += 1);
    record.trace(|| format!("server: begins request {number}"));
    let Some(&handling) = handling.get(number) else {
        return Ok(Response::new(Chunks::empty(record, number)));
    };
    if handling.reads_body {
        let mut body = request.into_body();
        while let Some(Ok(_)) = body.frame().await {}
    }
    if !handling.work.is_zero() {
        sleep(handling.work).await;
    }
    record.exchange(number, |exchange| exchange.responded = Some((now(), context.phase())));
    record.trace(|| format!("server: responds to {number} in phase {}", context.phase()));
    let chunks = handling.chunks;
    let mut response = Response::new(Chunks { handling, left: chunks, pause: None, number, record });
    // HTTP/2 compresses a header by its letters, so that the real date would change the number of bytes.
    response.headers_mut().insert(DATE, HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"));
    Ok(response)
}

/// The body of a response.
pub struct Chunks {
    handling: Handling,
    left: usize,
    pause: Option<Pin<Box<Sleep>>>,
    number: usize,
    record: Shared,
}

impl Chunks {
    fn empty(record: Shared, number: usize) -> Self {
        let handling = Handling {
            reads_body: false,
            work: std::time::Duration::ZERO,
            chunks: 0,
            chunk: 0,
            gap: std::time::Duration::ZERO,
            chunked: false,
        };
        Self { handling, left: 0, pause: None, number, record }
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if self.left < self.handling.chunks && !self.handling.gap.is_zero() {
            let gap = self.handling.gap;
            ready!(self.pause.get_or_insert_with(|| Box::pin(sleep(gap))).as_mut().poll(cx));
            self.pause = None;
        }
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'.'; self.handling.chunk])))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        match self.handling.chunked {
            true => SizeHint::default(),
            false => SizeHint::with_exact((self.left * self.handling.chunk) as u64),
        }
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        if self.left == 0 && turmoil::in_simulation() {
            self.record.exchange(self.number, |exchange| exchange.served = Some(now()));
        }
    }
}
