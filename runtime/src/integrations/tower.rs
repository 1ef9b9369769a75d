//! A tower layer for servers that this crate does not run: feature `tower`.
//!
//! [`serve`](crate::serve()) needs no layer. For any other server, the layer makes the drain wait for its requests
//! and asks its clients to reconnect during grace, as `serve` does.

use crate::{
    context::Context,
    drain::tracker::Group,
    phase::Phase,
    serve::close_pacer::{ClosePacer, accepts_upgrade, close_after},
};
use hyper::{
    Method, Request, Response, Version,
    body::{Body, Frame, SizeHint},
};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{self, Poll, ready},
};
use tower_layer::Layer;
use tower_service::Service;

/// Counts the requests in flight, from their arrival to the end of the response's body, and adds `Connection: close` to
/// ever more responses during grace and to all of them in the drain (HTTP/1).
///
/// The connections belong to the server: its own graceful shutdown closes the idle ones.
///
/// ```no_run
/// # async fn f(ctx: graceful::Context, listener: tokio::net::TcpListener, router: axum::Router) -> std::io::Result<()> {
/// // axum's own server under the layer, with `draining` as its shutdown signal
/// let app = router.layer(graceful::tower::GracefulLayer::new(ctx.clone()));
/// ctx.ready();
/// axum::serve(listener, app).with_graceful_shutdown(ctx.draining()).await
/// # }
/// ```
#[derive(Clone)]
pub struct GracefulLayer(Arc<Requests>);

/// The requests under one layer.
struct Requests {
    context: Context,
    group: Group,
    pacer: ClosePacer,
}

impl GracefulLayer {
    /// A layer whose requests are part of this context's drain.
    pub fn new(context: Context) -> Self {
        let group = context.0.tracker.group("requests under the tower layer".to_owned());
        Self(Arc::new(Requests { context, group, pacer: ClosePacer::default() }))
    }
}

impl fmt::Debug for GracefulLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GracefulLayer").field("in_flight", &self.0.group.count()).finish()
    }
}

impl<S> Layer<S> for GracefulLayer {
    type Service = Graceful<S>;

    fn layer(&self, service: S) -> Graceful<S> {
        Graceful { service, requests: self.0.clone() }
    }
}

/// The service under a [`GracefulLayer`].
#[derive(Clone)]
pub struct Graceful<S> {
    service: S,
    requests: Arc<Requests>,
}

impl<S: fmt::Debug> fmt::Debug for Graceful<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graceful").field("service", &self.service).finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for Graceful<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<InFlightBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (version, connect) = (request.version(), request.method() == Method::CONNECT);
        let in_flight = Some(InFlight::of(&self.requests, request.uri().path()));
        ResponseFuture { future: self.service.call(request), in_flight, version, connect }
    }
}

/// A request in flight: from its arrival to the end of its response.
struct InFlight(Arc<Requests>);

impl InFlight {
    fn of(requests: &Arc<Requests>, path: &str) -> Self {
        requests.group.enter();
        if requests.context.phase() == Phase::Grace {
            requests.context.0.note_request(path);
        }
        Self(requests.clone())
    }

    fn closes_after_response(&self) -> bool {
        match self.0.context.phase() {
            Phase::Starting | Phase::Serving => false,
            Phase::Grace => self.0.pacer.closes_next(&self.0.context),
            Phase::Draining | Phase::Hooks | Phase::Stopped => true,
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.group.leave();
    }
}

pin_project! {
    /// The future of a response under a [`GracefulLayer`].
    pub struct ResponseFuture<F> {
        #[pin]
        future: F,
        in_flight: Option<InFlight>,
        version: Version,
        connect: bool,
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<InFlightBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(cx))?;
        let in_flight = this.in_flight.take();
        let may_close = *this.version <= Version::HTTP_11 && !accepts_upgrade(response.status(), *this.connect);
        if may_close && in_flight.as_ref().is_some_and(InFlight::closes_after_response) {
            close_after(&mut response, *this.version);
        }
        Poll::Ready(Ok(response.map(|body| InFlightBody { body, _in_flight: in_flight })))
    }
}

pin_project! {
    /// The body of a response under a [`GracefulLayer`]: its request is in flight until the body is sent or dropped.
    pub struct InFlightBody<R> {
        #[pin]
        body: R,
        _in_flight: Option<InFlight>,
    }
}

impl<R: fmt::Debug> fmt::Debug for InFlightBody<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InFlightBody").field(&self.body).finish()
    }
}

impl<R: Default> Default for InFlightBody<R> {
    fn default() -> Self {
        Self { body: R::default(), _in_flight: None }
    }
}

impl<R: Body> Body for InFlightBody<R> {
    type Data = R::Data;
    type Error = R::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Result<Frame<R::Data>, R::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{checks::board::Board, report::recorder::Recorder, shared::Window};
    use graceful_plan::Plan;
    use hyper::header::CONNECTION;
    use std::future::{Ready, ready};
    use tokio::runtime::Handle;

    struct Hello;

    impl Service<Request<()>> for Hello {
        type Response = Response<String>;
        type Error = std::convert::Infallible;
        type Future = Ready<Result<Self::Response, Self::Error>>;

        fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            ready(Ok(Response::new("hello".to_owned())))
        }
    }

    fn call(layer: &GracefulLayer, version: Version) -> impl Future<Output = Response<InFlightBody<String>>> {
        let called = layer.layer(Hello).call(Request::builder().version(version).body(()).unwrap());
        async move {
            let Ok(response) = called.await;
            response
        }
    }

    #[tokio::test]
    async fn a_request_is_in_flight_until_its_response_body_is_dropped_and_only_http_1_responses_close() {
        let (plan, board) = (Plan::DEFAULT, Board::default());
        let (context, _requests) = Context::open(plan, false, board, Recorder::new(|_| {}), Handle::current());
        let layer = GracefulLayer::new(context.clone());
        let (cancelled, called) = (call(&layer, Version::HTTP_11), call(&layer, Version::HTTP_11));
        assert_eq!(context.0.tracker.remaining(), [("requests under the tower layer".to_owned(), 2)]);
        drop(cancelled);
        let response = called.await;
        assert_eq!(context.0.tracker.total(), 1);
        assert_eq!(response.headers().get(CONNECTION), None);
        drop(response.into_body());
        assert_eq!(context.0.tracker.total(), 0);

        context.0.enter(Phase::Grace);
        let began = tokio::time::Instant::now() - Plan::DEFAULT.grace;
        assert!(context.0.window.set(Window { began, deadline: began }).is_ok());
        assert_eq!(call(&layer, Version::HTTP_11).await.headers()[CONNECTION], "close", "the second half of grace");

        context.0.enter(Phase::Draining);
        assert_eq!(call(&layer, Version::HTTP_11).await.headers()[CONNECTION], "close");
        assert_eq!(call(&layer, Version::HTTP_2).await.headers().get(CONNECTION), None);
    }
}
