//! The service of an HTTP/2 connection: its open streams are counted, as GOAWAY waits for one.

use super::population::Conn;
use hyper::{
    Request, Response,
    body::{Body, Frame, Incoming, SizeHint},
    service::Service,
};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// A service that notes when each of its streams begins and ends.
pub(super) struct Streams<S> {
    service: S,
    conn: Arc<Conn>,
}

impl<S> Streams<S> {
    pub(super) fn new(service: S, conn: Arc<Conn>) -> Self {
        Self { service, conn }
    }
}

/// An open stream, until its answer was sent or given up.
struct Open(Arc<Conn>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.activity.on_stream_end();
    }
}

impl<S, B> Service<Request<Incoming>> for Streams<S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
{
    type Response = Response<Counted<B>>;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    #[inline(always)] // its argument and its result are large, and would be copied
    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.conn.activity.on_stream();
        self.conn.note_request(request.uri().path());
        // Before the call: if it panics, the stream has ended.
        let open = Some(Open(self.conn.clone()));
        Answer { future: self.service.call(request), open }
    }
}

pin_project! {
    /// The future of an answer.
    pub(super) struct Answer<F> {
        #[pin]
        future: F,
        open: Option<Open>,
    }
}

impl<F, B, E> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<Counted<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.future.poll(cx))?;
        let open = this.open.take();
        Poll::Ready(Ok(answer.map(|body| Counted { body, _open: open })))
    }
}

pin_project! {
    /// A body that notes when it has been sent or dropped.
    pub(super) struct Counted<B> {
        #[pin]
        body: B,
        _open: Option<Open>,
    }
}

impl<B: Body> Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
