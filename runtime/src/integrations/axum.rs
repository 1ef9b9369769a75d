//! axum routers: feature `axum`.

use crate::{
    context::{self, Context},
    health::{probe::PROBES, service::respond},
    serve::{self, ConnectionService, Listener, Serve, Stream},
};
use axum::{
    Router,
    extract::{ConnectInfo, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use hyper::{body::Incoming, service::Service};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;

/// Serves an axum router on a listener until the process has drained: [`serve`](crate::serve()) for axum, with all
/// of its settings.
///
/// ```no_run
/// use axum::{Router, routing::get};
///
/// #[graceful::main(grace = "5s")]
/// async fn main() -> std::io::Result<()> {
///     let app = Router::new().route("/", get(|| async { "hello" }));
///     let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
///     graceful::axum::serve(listener, app).await
/// }
/// ```
pub fn serve<L: Listener>(listener: L, router: Router) -> Serve<L, RouterService> {
    serve::serve(listener, RouterService(TowerToHyperService::new(router)))
}

impl<L: Listener> Serve<L, RouterService> {
    /// Gives handlers the client's address as `ConnectInfo<SocketAddr>`, where the connection has one.
    pub fn with_connect_info(self) -> Serve<L, WithConnectInfo> {
        self.map_service(WithConnectInfo)
    }
}

/// A router as a hyper service.
#[derive(Debug, Clone)]
pub struct RouterService(TowerToHyperService<Router>);

impl Service<Request<Incoming>> for RouterService {
    type Response = Response;
    type Error = std::convert::Infallible;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    #[inline]
    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.0.call(request)
    }
}

/// A router whose handlers learn the client's address.
#[derive(Debug, Clone)]
pub struct WithConnectInfo(RouterService);

impl<S: Stream> ConnectionService<S> for WithConnectInfo {
    type Service = PeerService;

    fn of(&self, stream: &S, _: &Context) -> PeerService {
        PeerService { router: self.0.clone(), peer: stream.peer_addr() }
    }
}

/// A router on one connection, with the client's address.
#[derive(Debug, Clone)]
pub struct PeerService {
    router: RouterService,
    peer: Option<SocketAddr>,
}

impl Service<Request<Incoming>> for PeerService {
    type Response = Response;
    type Error = std::convert::Infallible;
    type Future = <RouterService as Service<Request<Incoming>>>::Future;

    #[inline]
    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        self.router.call(request)
    }
}

/// The probes' routes, to be merged into a router: a probe on the port of the traffic also fails if that port does not
/// respond, which the health server cannot detect.
///
/// The routes belong to the context of the process; [`health_router_of`] takes another one. Set `health = "off"` to run
/// without the health server. The port closes at the end of the drain, so later probes are refused instead of responded
/// to with 503.
///
/// ```no_run
/// # fn f(app: axum::Router) -> axum::Router {
/// app.merge(graceful::axum::health_router())
/// # }
/// ```
pub fn health_router() -> Router {
    routes(context::try_context)
}

/// The probes' routes of this context.
pub fn health_router_of(context: Context) -> Router {
    routes(move || Some(context.clone()))
}

fn routes(context: impl Fn() -> Option<Context> + Clone + Send + Sync + 'static) -> Router {
    let probe = move |request: Request| {
        let response = context().map(|context| respond(&context, &request));
        drop(request); // the body is not `Sync`
        async move {
            match response {
                Some(response) => response.await.into_response(),
                None => NotRunning.into_response(),
            }
        }
    };
    PROBES.iter().fold(Router::new(), |router, (path, _)| {
        router.route(&format!("/{path}"), any(probe.clone())).route(&format!("/{path}/{{check}}"), any(probe.clone()))
    })
}

/// The context of the process, as an extractor: a handler that streams ends its stream when
/// [`draining`](Context::draining) resolves. A `Context` among the request's extensions takes precedence.
impl<S: Send + Sync> FromRequestParts<S> for Context {
    type Rejection = NotRunning;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotRunning> {
        parts.extensions.get::<Self>().cloned().or_else(context::try_context).ok_or(NotRunning)
    }
}

/// The rejection without a context: the program was not started by `#[graceful::main]`. Responds with 500.
#[derive(Debug, Clone, Copy)]
pub struct NotRunning;

impl IntoResponse for NotRunning {
    fn into_response(self) -> Response {
        let text = "graceful is not running: put #[graceful::main] on main, or a graceful::Context into the request's extensions\n";
        (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{checks::board::Board, phase::Phase, report::recorder::Recorder};
    use axum::routing::get;
    use graceful_plan::Plan;
    use tokio::runtime::Handle;

    fn context() -> Context {
        Context::open(Plan::DEFAULT, false, Board::default(), Recorder::new(|_| {}), Handle::current()).0
    }

    async fn ask(router: &Router, method: &str, path: &str) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path).body(axum::body::Body::empty()).unwrap();
        let Ok(response) = TowerToHyperService::new(router.clone()).call(request).await;
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn probes_show_their_context_and_without_one_the_response_names_the_fix() {
        let context = context();
        let router = health_router_of(context.clone());
        assert_eq!(ask(&router, "GET", "/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, "starting\n".into()));
        context.0.enter(Phase::Serving);
        assert_eq!(ask(&router, "GET", "/readyz").await, (StatusCode::OK, "ok\n".into()));
        assert_eq!(ask(&router, "POST", "/readyz").await.0, StatusCode::METHOD_NOT_ALLOWED);
        let (status, said) = ask(&health_router(), "GET", "/readyz").await;
        assert!(status == StatusCode::INTERNAL_SERVER_ERROR && said.contains("#[graceful::main]"), "{status} {said}");
    }

    #[tokio::test]
    async fn a_handler_gets_the_context_among_the_extensions() {
        let router = Router::new().route("/phase", get(async |context: Context| context.phase().to_string()));
        let (status, said) = ask(&router, "GET", "/phase").await;
        assert!(status == StatusCode::INTERNAL_SERVER_ERROR && said.contains("#[graceful::main]"), "{status} {said}");
        let router = router.layer(axum::Extension(context()));
        assert_eq!(ask(&router, "GET", "/phase").await, (StatusCode::OK, "starting".into()));
    }
}
