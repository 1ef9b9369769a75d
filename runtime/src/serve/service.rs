//! A user's service, told of nothing: its requests and answers are noted on the way.

use super::population::{Conn, Exchange};
use hyper::{
    Method, Request, Response,
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

/// A service that notes when each of its requests begins and ends.
pub(crate) struct Noted<S> {
    service: S,
    conn: Arc<Conn>,
}

impl<S> Noted<S> {
    pub(crate) fn new(service: S, conn: Arc<Conn>) -> Self {
        Self { service, conn }
    }
}

impl<S, B> Service<Request<Incoming>> for Noted<S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
{
    type Response = Response<NotedBody<B>>;
    type Error = S::Error;
    type Future = NotedFuture<S::Future>;

    #[inline(always)] // its argument and its result are large, and would be copied
    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.conn.activity.on_request(&request);
        self.conn.server.note_traffic(request.uri().path());
        let is_connect = request.method() == Method::CONNECT;
        // Before the call: if it panics, the exchange has ended.
        let exchange = Some(Exchange(self.conn.clone()));
        NotedFuture { future: self.service.call(request), exchange, is_connect }
    }
}

pin_project! {
    /// The future of an answer.
    pub(crate) struct NotedFuture<F> {
        #[pin]
        future: F,
        exchange: Option<Exchange>,
        is_connect: bool,
    }
}

impl<F, B, E> Future for NotedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<NotedBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (mut parts, body) = ready!(this.future.poll(cx))?.into_parts();
        let exchange = this.exchange.take();
        if let Some(Exchange(conn)) = &exchange {
            conn.on_answer(&mut parts, *this.is_connect);
        }
        Poll::Ready(Ok(Response::from_parts(parts, NotedBody { body, _exchange: exchange })))
    }
}

pin_project! {
    /// A body that notes when it has been sent or dropped.
    pub(crate) struct NotedBody<B> {
        #[pin]
        body: B,
        _exchange: Option<Exchange>,
    }
}

impl<B: Body> Body for NotedBody<B> {
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
