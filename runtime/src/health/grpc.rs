//! `grpc.health.v1.Health`: the probes over gRPC.

use super::decision;
use crate::{context::Context, phase::Phase, report::check_state::On};
use hyper::{Request, Response, body, header::CONTENT_TYPE};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{self, Poll},
};
use tokio_stream::{Stream, wrappers::WatchStream};
use tonic::{
    Status, async_trait,
    server::{Grpc, NamedService},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{Health, HealthServer},
};
use tonic_prost::ProstCodec;
use tower_service::Service;

pub(super) use tonic::body::Body;

/// The limit for a request, which contains one service name.
const LONGEST_REQUEST: usize = 4 * 1024;
const LIST: &str = "/grpc.health.v1.Health/List";
/// The services that are always known, besides those that the user adds.
const BUILT_IN: [&str; 4] = ["", "readiness", "liveness", "startup"];

type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// Whether a request is a gRPC call, rather than a plain probe over HTTP/2.
pub(super) fn is_grpc<B>(request: &Request<B>) -> bool {
    let content = request.headers().get(CONTENT_TYPE);
    content.is_some_and(|content| content.as_bytes().starts_with(b"application/grpc"))
}

/// `grpc.health.v1.Health` with Check, Watch and List, as a tower service, made by
/// [`health_service`](crate::tonic::health_service).
#[derive(Clone)]
pub struct HealthService {
    context: Context,
    health: HealthServer<Services>,
}

impl HealthService {
    /// For the health server: Watch streams last until the process exits.
    pub(super) fn for_probes(context: Context) -> Self {
        Self::new(context, false)
    }

    /// For a user's server: Watch streams end when the drain begins.
    pub(crate) fn for_traffic(context: Context) -> Self {
        Self::new(context, true)
    }

    fn new(context: Context, ends_with_traffic: bool) -> Self {
        let services = Services { context: context.clone(), ends_with_traffic };
        Self { context, health: HealthServer::new(services).max_decoding_message_size(LONGEST_REQUEST) }
    }

    /// The response to one request.
    pub(super) fn respond<B>(&self, request: Request<B>) -> impl Future<Output = Response<Body>> + Send + use<B>
    where
        B: body::Body + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    {
        let response = self.clone().call(request);
        async move { response.await.unwrap_or_else(|never| match never {}) }
    }
}

impl fmt::Debug for HealthService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthService").field("services", &names(&self.context)).finish()
    }
}

impl NamedService for HealthService {
    const NAME: &'static str = "grpc.health.v1.Health";
}

impl<B> Service<Request<B>> for HealthService
where
    B: body::Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        if request.uri().path() != LIST {
            return self.health.call(request);
        }
        // List is newer than tonic-health's trait.
        let list = List(self.context.clone());
        let mut grpc = Grpc::new(ProstCodec::<Statuses, ()>::default()).max_decoding_message_size(LONGEST_REQUEST);
        Box::pin(async move { Ok(grpc.unary(list, request).await) })
    }
}

/// Every service name that Check knows.
fn names(context: &Context) -> Vec<String> {
    BUILT_IN.map(str::to_owned).into_iter().chain(context.0.board.services()).collect()
}

/// The status of a service; `None` if the service is not known.
fn status(context: &Context, service: &str) -> Option<ServingStatus> {
    let on = match service {
        "" | "readiness" => On::Readiness,
        "liveness" => On::Liveness,
        "startup" => On::Startup,
        named if context.0.board.has_service(named) => On::Readiness,
        _ => return None,
    };
    Some(if decision::is_healthy(context, on) { ServingStatus::Serving } else { ServingStatus::NotServing })
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

struct Services {
    context: Context,
    ends_with_traffic: bool,
}

#[async_trait]
impl Health for Services {
    async fn check(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        match status(&self.context, &service) {
            Some(status) => Ok(tonic::Response::new(response(status))),
            None => Err(Status::not_found(format!("unknown service; the services are: {:?}", names(&self.context)))),
        }
    }

    type WatchStream = Watch;

    async fn watch(&self, request: tonic::Request<HealthCheckRequest>) -> Result<tonic::Response<Watch>, Status> {
        let context = self.context.clone();
        Ok(tonic::Response::new(Watch {
            service: request.into_inner().service,
            phases: WatchStream::new(context.0.watch()),
            changes: WatchStream::new(context.0.board.changes()),
            context,
            ends_with_traffic: self.ends_with_traffic,
            sent: None,
        }))
    }
}

/// The stream of a service's status: the current one, then every change.
struct Watch {
    context: Context,
    service: String,
    phases: WatchStream<Phase>,
    changes: WatchStream<()>,
    ends_with_traffic: bool,
    sent: Option<ServingStatus>,
}

impl Stream for Watch {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        // Polled until both are pending, because they wake this task only then.
        while let Poll::Ready(Some(_)) = Pin::new(&mut self.phases).poll_next(cx) {}
        while let Poll::Ready(Some(())) = Pin::new(&mut self.changes).poll_next(cx) {}
        // Read after that, so that a later change wakes the task again.
        let over = self.ends_with_traffic && self.context.phase() >= Phase::Draining;
        let now = status(&self.context, &self.service).unwrap_or(ServingStatus::ServiceUnknown);
        if self.sent.replace(now) != Some(now) {
            return Poll::Ready(Some(Ok(response(now))));
        }
        if over { Poll::Ready(None) } else { Poll::Pending }
    }
}

/// The response to List: `grpc.health.v1.HealthListResponse`.
#[derive(Clone, PartialEq, prost::Message)]
struct Statuses {
    #[prost(btree_map = "string, message", tag = "1")]
    statuses: BTreeMap<String, HealthCheckResponse>,
}

/// The call of List.
struct List(Context);

impl Service<tonic::Request<()>> for List {
    type Response = tonic::Response<Statuses>;
    type Error = Status;
    type Future = std::future::Ready<Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: tonic::Request<()>) -> Self::Future {
        let statuses = names(&self.0).into_iter().filter_map(|name| {
            let status = status(&self.0, &name)?;
            Some((name, response(status)))
        });
        std::future::ready(Ok(tonic::Response::new(Statuses { statuses: statuses.collect() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{checks::board::Board, report::recorder::Recorder};
    use ServingStatus::{NotServing, ServiceUnknown, Serving};
    use graceful_plan::Plan;
    use std::future::poll_fn;
    use tokio::runtime::Handle;

    fn context() -> Context {
        let board = Board::new([("db", On::Readiness, 1)]);
        Context::open(Plan::DEFAULT, false, board, Recorder::new(|_| {}), Handle::current()).0
    }

    async fn watch(context: &Context, service: &str, ends_with_traffic: bool) -> Watch {
        let services = Services { context: context.clone(), ends_with_traffic };
        let request = tonic::Request::new(HealthCheckRequest { service: service.to_owned() });
        services.watch(request).await.unwrap().into_inner()
    }

    async fn next(watch: &mut Watch) -> Option<ServingStatus> {
        let next = poll_fn(|cx| Pin::new(&mut *watch).poll_next(cx));
        let next =
            tokio::time::timeout(std::time::Duration::from_secs(10), next).await.expect("a status is sent at once");
        next.map(|response| response.unwrap().status())
    }

    async fn sends_nothing(watch: &mut Watch) {
        let silent = poll_fn(|cx| Poll::Ready(Pin::new(&mut *watch).poll_next(cx).is_pending()));
        assert!(silent.await);
    }

    #[tokio::test]
    async fn a_watch_sends_a_status_when_a_phase_a_check_or_a_name_changes_it_and_only_then() {
        let context = context();
        let mut ready = watch(&context, "", false).await;
        let mut named = watch(&context, "shop.Orders", false).await;
        let mut traffic = watch(&context, "readiness", true).await;
        assert_eq!(next(&mut named).await, Some(ServiceUnknown));
        for watch in [&mut ready, &mut traffic] {
            assert_eq!(next(watch).await, Some(NotServing));
        }
        context.0.board.add_service("shop.Orders".to_owned());
        assert_eq!(next(&mut named).await, Some(NotServing));

        context.0.enter(Phase::Serving);
        for watch in [&mut ready, &mut named, &mut traffic] {
            sends_nothing(watch).await; // the check is still pending
        }
        // From another task, so that the change must wake the stream.
        let board = context.clone();
        tokio::spawn(async move { board.0.board.record(0, Ok(())) });
        for watch in [&mut ready, &mut named, &mut traffic] {
            assert_eq!(next(watch).await, Some(Serving));
        }
        context.0.board.record(0, Ok(()));
        sends_nothing(&mut ready).await;
        context.0.board.record(0, Err("refused".to_owned()));
        assert_eq!(next(&mut ready).await, Some(NotServing));
        context.0.board.record(0, Ok(()));
        assert_eq!(next(&mut ready).await, Some(Serving));

        context.0.enter(Phase::Grace);
        for watch in [&mut ready, &mut named, &mut traffic] {
            assert_eq!(next(watch).await, Some(NotServing));
        }
        context.0.enter(Phase::Draining);
        assert_eq!(next(&mut traffic).await, None);
        sends_nothing(&mut ready).await;
    }

    #[tokio::test]
    async fn built_in_names_cannot_be_replaced() {
        let context = context();
        context.0.board.add_service("liveness".to_owned());
        assert_eq!(status(&context, "liveness"), Some(Serving));
        assert_eq!(status(&context, ""), Some(NotServing));
        assert_eq!(status(&context, "startup"), Some(NotServing));
        assert_eq!(status(&context, "shop"), None);
    }
}
