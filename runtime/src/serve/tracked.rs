//! The service of one connection: reports the begin of each request, the begin and the end of its response to the
//! connection's state, and adds `Connection: close`.

use super::close_pacer::{accepts_upgrade, close_after};
use super::{server::Connection, state::RequestFacts};
use hyper::{
    Method, Request, Response, Version,
    body::{Body, Frame, Incoming, SizeHint},
    service::Service,
};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// The user's service on one connection.
pub(crate) struct TrackedService<S> {
    service: S,
    connection: Arc<Connection>,
}

impl<S> TrackedService<S> {
    pub(crate) fn new(service: S, connection: Arc<Connection>) -> Self {
        Self { service, connection }
    }
}

impl<S, B> Service<Request<Incoming>> for TrackedService<S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
{
    type Response = Response<TrackedBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    // Inlined, because the request is large and would be copied once more.
    #[inline(always)]
    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // Before the call: if the service panics, the request has ended.
        let (exchange, connect) = Exchange::begin(&self.connection, &request);
        ResponseFuture { future: self.service.call(request), exchange: Some(exchange), connect }
    }
}

/// A request in flight: from its head to the end of its response.
struct Exchange(Arc<Connection>);

impl Exchange {
    /// Also returns whether the request asks for a tunnel.
    #[inline(always)]
    fn begin(connection: &Arc<Connection>, request: &Request<Incoming>) -> (Self, bool) {
        // Nearly every request is plain: of HTTP/1.1, without a body, and without an upgrade among its extensions.
        let is_plain =
            request.version() == Version::HTTP_11 && request.body().is_end_stream() && request.extensions().is_empty();
        let connect = if is_plain && connection.server.is_serving() {
            connection.state.on_plain_request();
            false // hyper attaches an upgrade to each CONNECT
        } else {
            on_request_slow(connection, request)
        };
        (Self(connection.clone()), connect)
    }

    /// The head of the response is ready.
    #[inline(always)]
    fn respond<B>(&self, connect: bool, response: &mut Response<B>) {
        if !(self.0.state.is_plain_request() && self.0.server.is_serving()) {
            on_response_slow(&self.0, connect, response);
        }
    }
}

impl Drop for Exchange {
    #[inline]
    fn drop(&mut self) {
        self.0.state.on_response_end();
    }
}

#[cold]
#[inline(never)]
fn on_request_slow(connection: &Connection, request: &Request<Incoming>) -> bool {
    connection.note_request(request.uri().path());
    if connection.state.is_http2() {
        connection.state.on_stream();
    } else {
        connection.state.on_request(RequestFacts {
            body: request.body().size_hint().exact(),
            special: !request.extensions().is_empty(),
            http_10: request.version() == Version::HTTP_10,
        });
    }
    *request.method() == Method::CONNECT
}

#[cold]
#[inline(never)]
fn on_response_slow<B>(connection: &Connection, connect: bool, response: &mut Response<B>) {
    let state = &connection.state;
    if state.is_http2() {
        if connect && response.status().is_success() {
            state.on_tunnel();
        }
        return; // GOAWAY asks its clients to reconnect
    }
    if accepts_upgrade(response.status(), connect) {
        return connection.upgrade();
    }
    state.on_response();
    if connection.server.closes_after_response() {
        let version = if state.is_http_10() { Version::HTTP_10 } else { Version::HTTP_11 };
        close_after(response, version);
    }
}

pin_project! {
    /// The future of a response.
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        future: F,
        exchange: Option<Exchange>,
        connect: bool,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<TrackedBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut polled = this.future.poll(cx);
        if let (Poll::Ready(Ok(response)), Some(exchange)) = (&mut polled, &*this.exchange) {
            exchange.respond(*this.connect, response);
        }
        polled.map_ok(|response| response.map(|body| TrackedBody { body, _exchange: this.exchange.take() }))
    }
}

pin_project! {
    /// The body of a response. hyper drops it when the last frame is written or the connection has failed.
    pub(crate) struct TrackedBody<B> {
        #[pin]
        body: B,
        _exchange: Option<Exchange>,
    }
}

impl<B: Body> Body for TrackedBody<B> {
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
