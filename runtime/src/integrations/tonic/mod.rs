//! gRPC with tonic: feature `tonic`.
//!
//! # Probes
//!
//! The health server speaks gRPC beside HTTP/1.1, on the same port: HTTP/2 with prior knowledge, told apart by its
//! preface. It serves `grpc.health.v1.Health` with Check, Watch and List, from the control thread, so that it is
//! answered even while the runtime of `main` is blocked. Kubernetes tells probes apart only by their `service`:
//!
//! | service | says SERVING when |
//! |---|---|
//! | `""`, `readiness` | `/readyz` says 200: the phase, the `unready` key and the readiness checks |
//! | `liveness` | `/livez` says 200 |
//! | `startup` | `/startupz` says 200 |
//! | what [`Context::grpc_service`] has named | as `readiness` |
//!
//! Check answers NOT_FOUND for any other name, and Watch says SERVICE_UNKNOWN until it is named, as the protocol
//! wants it. Watch says every change at once: phases and checks alike. What
//! [`answer_probes_with`](Context::answer_probes_with) says does not matter here.
//!
//! ```yaml
//! containers:
//!   - name: orders
//!     ports: [{ containerPort: 50051 }, { containerPort: 8081 }]
//!     startupProbe: { grpc: { port: 8081, service: startup }, periodSeconds: 1, failureThreshold: 60 }
//!     readinessProbe: { grpc: { port: 8081 }, periodSeconds: 5 }
//!     livenessProbe: { grpc: { port: 8081, service: liveness } }
//! ```
//!
//! The port of a `grpc` probe is a number (names are refused), and the kubelet speaks no TLS to it. Clients that watch
//! the health of the connection that they use ask on the port of the traffic: that is what [`health_service`] is for.
//!
//! # Serving
//!
//! [`serve`] takes what tonic routes and drains it: GOAWAY, then calls in flight. A streaming call would go on for
//! ever; it learns of the drain by [`Draining`]. Those that do not end are cut at the drain deadline, and the process
//! exits with code 3.
//!
//! A connection is told to go (GOAWAY) while one of its calls is in flight, if it has calls at all during grace: its
//! client then waits for an answer instead of beginning a call, and loses none. What remains is between a client and
//! itself: tonic's `Channel`, shared by concurrent calls, can give a call to a connection that has just been told to
//! go. The call was never sent, and fails with CANCELLED ("connection closed") or INTERNAL (GOAWAY with NO_ERROR);
//! other gRPC clients try it again by themselves, tonic's leaves that to its user.
//!
//! # With tonic's own server
//!
//! Tell it when to stop, and put the layer of the feature `tower` around its services, so that the drain counts
//! calls. Its GOAWAYs go out all at once, when grace is over, and connections that wait in the kernel's queue then
//! are refused.
//!
//! ```no_run
//! # #[cfg(feature = "tower")]
//! # async fn f(ctx: graceful::Context, orders: graceful::tonic::HealthService) -> Result<(), Box<dyn std::error::Error>> {
//! use tonic::transport::server::{Server, TcpIncoming};
//!
//! let listener = tokio::net::TcpListener::bind("0.0.0.0:50051").await?;
//! ctx.ready();
//! Server::builder()
//!     .layer(graceful::tower::GracefulLayer::new(ctx.clone()))
//!     .add_service(orders)
//!     .serve_with_incoming_shutdown(TcpIncoming::from(listener), ctx.draining())
//!     .await?;
//! # Ok(())
//! # }
//! ```

use crate::{
    context::{self, Context},
    serve::{self, ConnectionService, Listener, Serve, Stream},
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
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tonic::{Status, body::Body, transport::server::TcpConnectInfo};

pub use crate::health::grpc::HealthService;

type BoxError = Box<dyn Error + Send + Sync>;

/// Serves gRPC on a listener until the process has drained: [`serve`](crate::serve()) for tonic, with all of its
/// settings, such as [`http2`](Serve::http2).
///
/// It takes any tower service of requests: a `tonic::service::Routes` of many services, the `..Server` that tonic
/// generates for a single one, or either under layers of yours. As tonic's own server does, it keeps the deadline that
/// a client sets with `grpc-timeout` (with DEADLINE_EXCEEDED), it turns errors of layers into a gRPC status, and
/// [`Request::remote_addr`](tonic::Request::remote_addr) is the client's address.
///
/// ```no_run
/// # use graceful::tonic::HealthService as OrdersServer;
/// #[graceful::main(grace = "5s")]
/// async fn main(ctx: graceful::Context) -> std::io::Result<()> {
///     # let orders: OrdersServer = graceful::tonic::health_service(&ctx);
///     // let orders = OrdersServer::new(Orders::default());
///     ctx.grpc_service(<OrdersServer as tonic::server::NamedService>::NAME);
///     let listener = tokio::net::TcpListener::bind("0.0.0.0:50051").await?;
///     graceful::tonic::serve(listener, tonic::service::Routes::new(orders)).await
/// }
/// ```
pub fn serve<L, S, B>(listener: L, service: S) -> Serve<L, GrpcService<S>>
where
    L: Listener,
    S: tower_service::Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    serve::serve_with(listener, GrpcService(service))
}

/// `grpc.health.v1.Health` for a server of yours, beside the one on the health port: for clients that watch the health
/// of the connection that they use.
///
/// It knows the same services. Its Watch streams end when the drain begins, after they have said so: a stream that
/// nobody ends would hold up the drain.
///
/// ```no_run
/// # async fn f(ctx: graceful::Context, listener: tokio::net::TcpListener) -> std::io::Result<()> {
/// let routes = tonic::service::Routes::new(graceful::tonic::health_service(&ctx)); // .add_service(orders)
/// graceful::tonic::serve(listener, routes).await
/// # }
/// ```
pub fn health_service(context: &Context) -> HealthService {
    HealthService::for_traffic(context.clone())
}

/// Feature `tonic`.
impl Context {
    /// Names a gRPC service whose health is that of the process: `grpc.health.v1.Health` says SERVING for it when
    /// `/readyz` says 200. A name that is given twice counts once.
    ///
    /// ```no_run
    /// # fn f(ctx: graceful::Context) {
    /// ctx.grpc_service("shop.Orders"); // or the constant that tonic generates: orders_server::SERVICE_NAME
    /// # }
    /// ```
    pub fn grpc_service(&self, name: impl Into<String>) {
        self.0.board.name_service(name.into());
    }
}

/// Tells a call that the drain has begun: a stream that would go on for ever ends now, and its client goes on with
/// another replica.
///
/// Requests that come through [`serve`] have it among their extensions; [`of`](Self::of) finds it.
///
/// ```
/// use graceful::tonic::Draining;
/// use tonic::{Request, Response, Status};
/// # use tokio_stream::wrappers::ReceiverStream;
///
/// // a server-streaming method
/// async fn prices(request: Request<()>) -> Result<Response<ReceiverStream<Result<u64, Status>>>, Status> {
///     let draining = Draining::of(&request);
///     let (prices, stream) = tokio::sync::mpsc::channel(1);
///     tokio::spawn(async move {
///         for price in 0.. {
///             tokio::select! {
///                 _ = draining.cancelled() => break, // or say so: Status::unavailable("draining")
///                 sent = prices.send(Ok(price)) => if sent.is_err() { break },
///             }
///         }
///     });
///     Ok(Response::new(ReceiverStream::new(stream)))
/// }
/// # let _ = prices;
/// ```
#[derive(Debug, Clone)]
pub struct Draining(CancellationToken);

impl Draining {
    /// That of the server which the request came through; else that of the process; else, in a test that has
    /// neither, one that never begins.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        let own = request.extensions().get::<Self>().cloned();
        own.or_else(|| context::try_context().map(|context| Self::in_context(&context)))
            .unwrap_or_else(|| Self(CancellationToken::new()))
    }

    /// That of this context.
    pub fn in_context(context: &Context) -> Self {
        Self(context.drain_token())
    }

    /// Resolves when the drain begins.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        self.0.cancelled()
    }

    /// Whether the drain has begun.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// A token of the caller's own that is cancelled when the drain begins, for code that takes tokio-util's: such as
    /// `stream.take_until(draining.token().cancelled_owned())`.
    pub fn token(&self) -> CancellationToken {
        // A child: cancelling it is no other call's business.
        self.0.child_token()
    }
}

/// A tower service of gRPC as [`serve`] serves it.
#[derive(Debug, Clone)]
pub struct GrpcService<S>(S);

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
                Status::deadline_exceeded("the time that grpc-timeout gives is over").into_http()
            }
        };
        Poll::Ready(Ok(response))
    }
}

/// How long the client waits: at most eight digits and a unit; as if absent if it is anything else.
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

    #[test]
    fn a_handler_called_by_a_test_never_drains() {
        assert!(!Draining::of(&tonic::Request::new(())).is_cancelled());
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
            (tonic::Code::DeadlineExceeded, "the time that grpc-timeout gives is over")
        );
    }

    #[tokio::test]
    async fn an_error_of_a_layer_is_a_status() {
        let refused = async { Err(Status::resource_exhausted("no more than 10 calls")) };
        assert_eq!(status(refused, None).await, (tonic::Code::ResourceExhausted, "no more than 10 calls".to_owned()));
        assert_eq!(status(async { Err("broken") }, None).await, (tonic::Code::Unknown, "broken".to_owned()));
    }
}
