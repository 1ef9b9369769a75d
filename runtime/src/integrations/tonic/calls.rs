//! The calls of one connection: extensions, the client's deadline, and errors as a gRPC status.

use super::draining::Draining;
use crate::{
    context::Context,
    serve::{ConnectionService, Stream},
};
use hyper::{
    Request, Response,
    body::{self, Bytes, Incoming},
    header::HeaderMap,
    service::Service,
};
use hyper_util::service::TowerToHyperService;
use pin_project_lite::pin_project;
use std::{
    convert::Infallible,
    error::Error,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{self, Poll, ready},
    time::Duration,
};
use tokio::time::{Sleep, sleep};
use tonic::{Status, body::Body, transport::server::TcpConnectInfo};

pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// A tower service of gRPC as [`serve`](super::serve) serves it.
#[derive(Debug, Clone)]
pub struct GrpcService<S>(S);

impl<S> GrpcService<S> {
    pub(super) fn new(service: S) -> Self {
        Self(service)
    }
}

impl<T, S, B> ConnectionService<T> for GrpcService<S>
where
    T: Stream,
    S: tower_service::Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Service = Calls<S>;

    fn of(&self, stream: &T, context: &Context) -> Calls<S> {
        Calls {
            service: TowerToHyperService::new(self.0.clone()),
            peer: stream.peer_addr(),
            draining: Draining::in_context(context),
        }
    }
}

/// The calls of one connection.
#[derive(Debug, Clone)]
pub struct Calls<S> {
    service: TowerToHyperService<S>,
    peer: Option<SocketAddr>,
    draining: Draining,
}

impl<S, B> Service<Request<Incoming>> for Calls<S>
where
    S: tower_service::Service<Request<Body>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
    B: body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Call<<TowerToHyperService<S> as Service<Request<Body>>>::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let timeout = timeout(request.headers()).map(|timeout| Box::pin(sleep(timeout)));
        let mut request = request.map(Body::new);
        let extensions = request.extensions_mut();
        extensions.insert(self.draining.clone());
        if let Some(peer) = self.peer {
            extensions.insert(TcpConnectInfo { local_addr: None, remote_addr: Some(peer) });
        }
        Call { call: self.service.call(request), timeout }
    }
}

pin_project! {
    /// The future of one call.
    pub struct Call<F> {
        #[pin]
        call: F,
        timeout: Option<Pin<Box<Sleep>>>,
    }
}

impl<F> std::fmt::Debug for Call<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}

impl<F, B, E> Future for Call<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match this.call.poll(cx) {
            Poll::Ready(Ok(response)) => response.map(Body::new),
            Poll::Ready(Err(error)) => Status::from_error(error.into()).into_http(),
            Poll::Pending => {
                let Some(timeout) = this.timeout else { return Poll::Pending };
                ready!(timeout.as_mut().poll(cx));
                Status::deadline_exceeded("the deadline of grpc-timeout has passed").into_http()
            }
        };
        Poll::Ready(Ok(response))
    }
}

/// The client's timeout, from the header `grpc-timeout`: at most eight digits and a unit. Anything else is ignored.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = value.split_at(value.len().checked_sub(1)?);
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_of_a_client_is_read_as_the_protocol_says() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", hyper::header::HeaderValue::from_static(value));
            timeout(&headers)
        };
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(read("2M"), Some(Duration::from_secs(120)));
        assert_eq!(read("1500m"), Some(Duration::from_millis(1500)));
        assert_eq!(read("7u"), Some(Duration::from_micros(7)));
        assert_eq!(read("7n"), Some(Duration::from_nanos(7)));
        for nonsense in ["", "S", "7", "7s", "+7S", "-7S", "123456789S", "1.5S", " 7S"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
        assert_eq!(timeout(&HeaderMap::new()), None);
    }

    async fn status<F, E>(call: F, timeout: Option<Duration>) -> (tonic::Code, String)
    where
        F: Future<Output = Result<Response<Body>, E>>,
        E: Into<BoxError>,
    {
        let call = Call { call, timeout: timeout.map(|timeout| Box::pin(sleep(timeout))) };
        let response = call.await.unwrap_or_else(|never| match never {});
        let status = Status::from_header_map(response.headers()).unwrap();
        (status.code(), status.message().to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_at_the_deadline_of_its_client() {
        let hangs = std::future::pending::<Result<_, Infallible>>();
        let (code, message) = status(hangs, Some(Duration::from_secs(3))).await;
        assert_eq!(
            (code, message.as_str()),
            (tonic::Code::DeadlineExceeded, "the deadline of grpc-timeout has passed")
        );
    }

    #[tokio::test]
    async fn an_error_of_a_layer_is_a_status() {
        let refused = async { Err(Status::resource_exhausted("no more than 10 calls")) };
        assert_eq!(status(refused, None).await, (tonic::Code::ResourceExhausted, "no more than 10 calls".to_owned()));
        assert_eq!(status(async { Err("broken") }, None).await, (tonic::Code::Unknown, "broken".to_owned()));
    }
}
