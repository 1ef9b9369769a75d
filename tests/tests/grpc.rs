//! gRPC with tonic's clients: probes on the health port, calls during a shutdown, streams in the drain.
#![cfg(feature = "tonic")]
#![allow(clippy::unwrap_used)]

use graceful::{Builder, tonic::Draining};
use graceful_tests::{
    App, Client, Running, Signal,
    grpc::{Order, Reply, orders_client::OrdersClient},
    probe,
};
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use tonic::{
    Code, Request, Response, Status, Streaming,
    client::Grpc,
    codegen::{Service, http},
    service::Routes,
    transport::{Channel, Endpoint, Uri},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus::{self, NotServing, ServiceUnknown, Serving},
    health_client::HealthClient,
};
use tonic_prost::ProstCodec;

const SERVICE: &str = "shop.Orders";

fn app() -> App {
    App::new(env!("CARGO_BIN_EXE_grpc_app"))
}

async fn channel(to: SocketAddr) -> Channel {
    Endpoint::try_from(format!("http://{to}")).unwrap().connect().await.unwrap()
}

async fn health(app: &Running) -> HealthClient<Channel> {
    HealthClient::new(channel(app.health()).await)
}

async fn orders(app: &Running) -> OrdersClient<Channel> {
    OrdersClient::new(channel(app.ready()).await)
}

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

fn order(kind: &str) -> Order {
    Order { kind: kind.to_owned() }
}

async fn check(health: &mut HealthClient<Channel>, service: &str) -> Result<ServingStatus, Code> {
    health.check(about(service)).await.map(|reply| reply.into_inner().status()).map_err(|status| status.code())
}

async fn within_patience<T>(future: impl Future<Output = T>) -> T {
    timeout(graceful_tests::PATIENCE, future).await.expect("it comes in time")
}

/// The next message of a stream; `None` at its end.
async fn next<T>(stream: &mut Streaming<T>) -> Result<Option<T>, Status> {
    within_patience(stream.message()).await
}

async fn next_status(stream: &mut Streaming<HealthCheckResponse>) -> Option<ServingStatus> {
    next(stream).await.unwrap().map(|reply| reply.status())
}

async fn next_text(stream: &mut Streaming<Reply>) -> Result<Option<String>, Code> {
    next(stream).await.map(|reply| reply.map(|reply| reply.text)).map_err(|status| status.code())
}

/// The response to List, which tonic-health's client lacks.
#[derive(Clone, PartialEq, prost::Message)]
struct Statuses {
    #[prost(btree_map = "string, message", tag = "1")]
    statuses: std::collections::BTreeMap<String, HealthCheckResponse>,
}

async fn list(app: &Running) -> Vec<(String, ServingStatus)> {
    let mut client = Grpc::new(channel(app.health()).await);
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/grpc.health.v1.Health/List");
    let codec = ProstCodec::<(), Statuses>::default();
    let listed = client.unary(Request::new(()), path, codec).await.unwrap().into_inner().statuses;
    listed.into_iter().map(|(name, reply)| (name, reply.status())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_watch_and_list_report_serving_until_unready() {
    let mut app = app().env("GRACEFUL_DRAIN", "20s").start();
    let mut orders = orders(&app).await;
    let held = tokio::spawn(async move { orders.place(order("held")).await });
    app.prints("in Place");

    let mut health = health(&app).await;
    for service in ["", "readiness", "liveness", "startup", SERVICE] {
        assert_eq!(check(&mut health, service).await, Ok(Serving), "{service}");
    }
    assert_eq!(check(&mut health, "shop.Returns").await, Err(Code::NotFound));
    let mut watches = Vec::new();
    for service in ["", SERVICE] {
        let mut watch = health.watch(about(service)).await.unwrap().into_inner();
        assert_eq!(next_status(&mut watch).await, Some(Serving), "{service}");
        watches.push(watch);
    }
    let mut alive = health.watch(about("liveness")).await.unwrap().into_inner();
    assert_eq!(next_status(&mut alive).await, Some(Serving));
    assert!(list(&app).await.iter().all(|(_, status)| *status == Serving));
    assert_eq!(probe(app.health(), "/readyz").unwrap().status, 200);

    app.signal(Signal::TERM);
    for watch in &mut watches {
        assert_eq!(next_status(watch).await, Some(NotServing));
    }
    let flipped = |liveness, startup, rest| {
        [("", rest), ("liveness", liveness), ("readiness", rest), (SERVICE, rest), ("startup", startup)]
            .map(|(name, status)| (name.to_owned(), status))
    };
    assert_eq!(list(&app).await, flipped(Serving, Serving, NotServing));
    app.logs("draining: ");
    for (service, status) in flipped(Serving, Serving, NotServing) {
        assert_eq!(check(&mut health, &service).await, Ok(status), "{service}");
    }
    assert_eq!(probe(app.health(), "/readyz").unwrap().status, 503);
    assert_eq!(probe(app.health(), "/livez").unwrap().status, 200);

    app.send_line("release");
    assert_eq!(held.await.unwrap().unwrap().into_inner().text, "held from 127.0.0.1");
    app.end().with_code(0);
    // The streams lasted until the process exited; the server sent no status.
    for watch in watches.iter_mut().chain([&mut alive]) {
        assert!(matches!(next(watch).await, Err(status) if status.code() != Code::Ok));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_stays_serving_to_the_end_with_unready_never() {
    let mut app = app().env("GRACEFUL_UNREADY", "never").start();
    let mut orders = orders(&app).await;
    let held = tokio::spawn(async move { orders.place(order("held")).await });
    app.prints("in Place");
    app.begin_drain();
    assert_eq!(check(&mut health(&app).await, SERVICE).await, Ok(Serving));
    app.send_line("release");
    held.await.unwrap().unwrap();
    app.end().with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_and_watch_work_while_the_runtime_of_main_is_blocked() {
    let mut app = app().start();
    app.ready();
    let mut health = health(&app).await;
    let mut liveness = health.watch(about("liveness")).await.unwrap().into_inner();
    assert_eq!(next_status(&mut liveness).await, Some(Serving));
    app.send_line("block");
    app.prints("every worker is blocked");
    assert_eq!(next_status(&mut liveness).await, Some(NotServing), "the heartbeat is a check of liveness");
    assert_eq!(check(&mut health, "liveness").await, Ok(NotServing));
    assert_eq!(check(&mut health, "").await, Ok(Serving));
    app.send_line("release");
    assert_eq!(next_status(&mut liveness).await, Some(Serving));
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_service_can_be_watched() {
    let app = app().start();
    app.ready();
    let mut watch = health(&app).await.watch(about("shop.Returns")).await.unwrap().into_inner();
    assert_eq!(next_status(&mut watch).await, Some(ServiceUnknown));
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_probes_work_over_http2() {
    let app = app().start();
    app.ready();
    let mut channel = channel(app.health()).await;
    let request = http::Request::get(format!("http://{}/readyz", app.health())).body(tonic::body::Body::empty());
    std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
    assert_eq!(channel.call(request.unwrap()).await.unwrap().status(), 200);
    app.signal(Signal::TERM);
    app.end().with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_succeed_beside_many_partial_prefaces_and_watch_streams() {
    let app = app().start();
    app.ready();
    let mut halves = Vec::new();
    for _ in 0..100 {
        let mut half = Client::new(app.health());
        half.write("PRI * HTTP/2.0\r\n\r\nSM\r");
        halves.push(half);
    }
    let mut watches = Vec::new();
    for _ in 0..150 {
        let mut watch = health(&app).await.watch(about("")).await.unwrap().into_inner();
        assert_eq!(next_status(&mut watch).await, Some(Serving));
        watches.push(watch);
    }
    assert_eq!(probe(app.health(), "/readyz").unwrap().status, 200);
    assert_eq!(check(&mut health(&app).await, "").await, Ok(Serving));
    // New connections evict the oldest ones on either side; a partial preface times out.
    halves[0].expect_disconnect();
    halves[99].expect_disconnect();
    assert!(next(&mut watches[0]).await.is_err());
    app.signal(Signal::TERM);
    assert_eq!(next_status(&mut watches[149]).await, Some(NotServing), "it has outlived the probes' limits");
    app.end().with_code(0);
}

/// A Kubernetes Service: routes new connections to its current endpoint.
#[derive(Clone)]
struct Endpoints(Arc<Mutex<SocketAddr>>);

impl Endpoints {
    fn channel(&self) -> Channel {
        let endpoints = self.clone();
        Endpoint::from_static("http://orders").connect_with_connector_lazy(Connector(move |_: Uri| {
            let to = *endpoints.0.lock().unwrap();
            async move { TcpStream::connect(to).await.map(TokioIo::new) }
        }))
    }
}

/// A connector made of a function.
struct Connector<F>(F);

impl<F, T, S> Service<Uri> for Connector<F>
where
    F: FnMut(Uri) -> T,
    T: Future<Output = std::io::Result<S>> + Send + 'static,
{
    type Response = S;
    type Error = std::io::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = std::io::Result<S>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin((self.0)(uri))
    }
}

/// The pause between two calls of a client: tonic's `Channel` fails a call made while it closes a connection.
const PAUSE: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn no_unary_call_fails_while_a_replica_is_replaced() {
    let (old, new) = (app().env("GRACEFUL_GRACE", "3s").start(), app().start());
    let endpoints = Endpoints(Arc::new(Mutex::new(old.ready())));
    new.ready();
    let (called, calls) = watch::channel(0);
    let (stop, stopped) = watch::channel(false);
    let clients: Vec<_> = (0..16)
        .map(|_| {
            let (mut client, called, stopped) =
                (OrdersClient::new(endpoints.channel()), called.clone(), stopped.clone());
            tokio::spawn(async move {
                while !*stopped.borrow() {
                    client.place(order("fast")).await?;
                    called.send_modify(|calls| *calls += 1);
                    tokio::time::sleep(PAUSE).await;
                }
                Ok::<_, Status>(())
            })
        })
        .collect();
    drop(called);
    let more_calls = || async {
        let (mut calls, enough) = (calls.clone(), *calls.borrow() + 100);
        let _ = calls.wait_for(|calls| *calls >= enough).await; // fails once every client failed
    };
    within_patience(more_calls()).await;
    old.begin_shutdown(Signal::TERM);
    within_patience(more_calls()).await; // some on new connections to the old replica
    *endpoints.0.lock().unwrap() = new.address();
    old.end().with_code(0);
    within_patience(more_calls()).await;
    stop.send(true).unwrap();
    for client in clients {
        client.await.unwrap().unwrap();
    }
    new.signal(Signal::TERM);
    new.end().with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_observes_the_drain_ends_during_the_drain() {
    let app = app().start();
    let mut polite = orders(&app).await.follow(order("polite")).await.unwrap().into_inner();
    assert_eq!(next_text(&mut polite).await, Ok(Some("first".into())));
    app.begin_drain();
    assert_eq!(next_text(&mut polite).await, Ok(Some("last".into())));
    assert_eq!(next_text(&mut polite).await, Ok(None));
    app.end().with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_stream_is_cut_at_the_drain_deadline_and_reported() {
    let app = app().env("GRACEFUL_DRAIN", "500ms").start();
    let mut endless = orders(&app).await.follow(order("endless")).await.unwrap().into_inner();
    assert_eq!(next_text(&mut endless).await, Ok(Some("first".into())));
    let address = app.address();
    app.signal(Signal::TERM);
    assert!(next_text(&mut endless).await.is_err());
    let ended = app.end();
    ended.with_code(3).logs_in_order(&["draining: ", &format!("connections on {address}"), "hooks: "]);
    assert!(ended.summary().contains(&format!("connections on {address}")), "{}", ended.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_on_the_traffic_port_reports_not_serving_and_ends_with_the_server() {
    let app = app().start();
    let mut health = HealthClient::new(channel(app.ready()).await);
    let mut watch = health.watch(about(SERVICE)).await.unwrap().into_inner();
    assert_eq!(next_status(&mut watch).await, Some(Serving));
    app.begin_drain();
    assert_eq!(next_status(&mut watch).await, Some(NotServing));
    assert_eq!(next_status(&mut watch).await, None);
    app.end().with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tonics_own_server_under_the_layer_drains_its_calls() {
    let mut app = app().env("SERVER", "tonic").start();
    let mut orders = orders(&app).await;
    let mut polite = orders.clone().follow(order("polite")).await.unwrap().into_inner();
    assert_eq!(next_text(&mut polite).await, Ok(Some("first".into())));
    let held = tokio::spawn(async move { orders.place(order("held")).await });
    app.prints("in Place");
    app.begin_drain();
    assert_eq!(check(&mut health(&app).await, SERVICE).await, Ok(NotServing));
    assert_eq!(next_text(&mut polite).await, Ok(Some("last".into())));
    assert_eq!(next_text(&mut polite).await, Ok(None));
    app.send_line("release");
    assert_eq!(held.await.unwrap().unwrap().into_inner().text, "held from 127.0.0.1");
    app.end().with_code(0).logs_in_order(&["draining: ", "requests under the tower layer", "hooks: "]);
}

#[derive(Clone)]
struct WaitsForDrain;

#[tonic::async_trait]
impl graceful_tests::grpc::orders_server::Orders for WaitsForDrain {
    async fn place(&self, request: Request<Order>) -> Result<Response<Reply>, Status> {
        let draining = Draining::of(&request);
        assert!(!draining.is_cancelled());
        draining.token().cancel(); // has no effect on other calls
        draining.cancelled().await;
        Ok(Response::new(Reply { text: "drained".to_owned() }))
    }

    type FollowStream = tokio_stream::Empty<Result<Reply, Status>>;

    async fn follow(&self, _: Request<Order>) -> Result<Response<Self::FollowStream>, Status> {
        Err(Status::unimplemented("not in this test"))
    }
}

#[tokio::test]
async fn each_run_in_a_test_has_its_own_drain_token() {
    let plan =
        graceful::Plan { health: graceful::Health::Off, grace: Duration::from_millis(50), ..graceful::Plan::DEFAULT };
    let report = Builder::for_tests().plan(plan).run_here(|ctx| async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let orders = graceful_tests::grpc::orders_server::OrdersServer::new(WaitsForDrain);
        let server = graceful::tonic::serve(listener, Routes::new(orders)).with_context(ctx.clone());
        let served = tokio::spawn(server.into_future());
        let mut client = OrdersClient::new(channel(address).await);
        let called = tokio::spawn(async move { client.place(order("any")).await });
        ctx.shutdown("the test is over");
        assert_eq!(called.await.unwrap().unwrap().into_inner().text, "drained");
        served.await.unwrap().unwrap();
    });
    assert_eq!(within_patience(report).await.unwrap().exit_code(), 0);
}
