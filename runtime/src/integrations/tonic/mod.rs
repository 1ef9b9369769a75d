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

mod draining;
mod calls;

pub use crate::health::grpc::HealthService;
pub use calls::{Call, Calls, GrpcService};
pub use draining::Draining;

use crate::{
    context::Context,
    serve::{self, Listener, Serve},
};
use calls::BoxError;
use hyper::{
    Request, Response,
    body::{self, Bytes},
};
use tonic::body::Body;

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
    serve::serve_with(listener, GrpcService::new(service))
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
        self.0.board.add_service(name.into());
    }
}
