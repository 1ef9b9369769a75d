//! gRPC with tonic: feature `tonic`.
//!
//! # Probes
//!
//! The health server speaks gRPC besides HTTP/1.1, on the same port: HTTP/2 with prior knowledge, detected by its
//! preface. It serves `grpc.health.v1.Health` with Check, Watch and List, on the control thread, so that it responds
//! even while the runtime of `main` is blocked. Kubernetes distinguishes probes only by their `service`:
//!
//! | service | SERVING when |
//! |---|---|
//! | `""`, `readiness` | `/readyz` responds with 200: the phase, the `unready` key and the readiness checks |
//! | `liveness` | `/livez` responds with 200 |
//! | `startup` | `/startupz` responds with 200 |
//! | added by [`Context::grpc_service`] | as `readiness` |
//!
//! For any other name, Check fails with NOT_FOUND and Watch sends SERVICE_UNKNOWN until the name is added, as the
//! protocol requires. Watch sends every change at once, of the phase and of checks.
//! [`answer_probes_with`](Context::answer_probes_with) has no effect on gRPC.
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
//! The port of a `grpc` probe is a number (names are refused), and the kubelet does not speak TLS to it. For clients
//! that watch the health of their own connection, add [`health_service`] to the server on the port of the traffic.
//!
//! # Serving
//!
//! [`serve`] takes tonic's routes and drains them: GOAWAY, then the calls in flight. An endless streaming call observes
//! the drain by [`Draining`]. Calls that do not end are cut at the drain deadline, and the process exits with code 3.
//!
//! The client of a connection is asked to reconnect (GOAWAY) while one of its calls is in flight, if it has calls at
//! all during grace: a client that waits for a response does not begin a call, so no call is lost. One case remains in
//! the client: tonic's `Channel`, shared by concurrent calls, can assign a call to a connection that has just received
//! GOAWAY. The call is never sent, and fails with CANCELLED ("connection closed") or INTERNAL (GOAWAY with NO_ERROR).
//! Other gRPC clients retry such a call by themselves; tonic leaves the retry to the user.
//!
//! # With tonic's own server
//!
//! Pass [`Context::draining`] as its shutdown signal, and put the layer of the feature `tower` around its services, so
//! that the drain waits for calls. Tonic's server sends GOAWAY to all connections at once, when grace is over, and
//! connections in the listener's backlog are refused then.
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
/// The service is any tower service of requests: a `tonic::service::Routes` of many services, the `..Server` that tonic
/// generates for a single one, or either under your own layers. As with tonic's own server, a call ends with
/// DEADLINE_EXCEEDED at the deadline that the client sets with `grpc-timeout`, an error of a layer becomes a gRPC
/// status, and [`Request::remote_addr`](tonic::Request::remote_addr) is the client's address.
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

/// `grpc.health.v1.Health` for your own server, besides the one on the health port: for clients that watch the health
/// of their own connection.
///
/// It knows the same services. Its Watch streams send the last status and end when the drain begins, because an endless
/// stream would hold up the drain.
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
    /// Adds a gRPC service whose health is that of the process: `grpc.health.v1.Health` reports SERVING for it when
    /// `/readyz` responds with 200. Adding a name twice has no further effect.
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
