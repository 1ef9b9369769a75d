//! Serves gRPC through graceful, or with `SERVER=tonic` through tonic's server with the tower layer.

use graceful::{Builder, Context, Plan, tonic::Draining};
use graceful_tests::{
    grpc::{Order, Reply, orders_server},
    stage::{self, Gate, env_var, print_line},
    subscriber,
};
use std::{error::Error, process::ExitCode, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Response, Status,
    service::Routes,
    transport::server::{Server, TcpIncoming},
};

fn main() -> ExitCode {
    let plan = Plan {
        grace: Duration::from_millis(300),
        drain: Duration::from_secs(5),
        liveness_heartbeat: Some(Duration::from_millis(200)),
        ..Plan::DEFAULT
    };
    Builder::new().plan(plan).worker_threads(2).run(serve)
}

async fn serve(ctx: Context) -> Result<(), Box<dyn Error>> {
    subscriber::install_if_asked();
    let orders = orders_server::OrdersServer::new(Orders(stage::read_commands(&ctx, 2)));
    ctx.grpc_service(orders_server::SERVICE_NAME);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    print_line(format!("serving on {}", listener.local_addr()?));
    if env_var("SERVER") == "tonic" {
        let layer = graceful::tower::GracefulLayer::new(ctx.clone());
        let server = Server::builder().layer(layer).add_service(orders);
        ctx.ready();
        return Ok(server.serve_with_incoming_shutdown(TcpIncoming::from(listener), ctx.draining()).await?);
    }
    let routes = Routes::new(orders).add_service(graceful::tonic::health_service(&ctx));
    Ok(graceful::tonic::serve(listener, routes).await?)
}

struct Orders(Arc<Gate>);

#[tonic::async_trait]
impl orders_server::Orders for Orders {
    async fn place(&self, request: Request<Order>) -> Result<Response<Reply>, Status> {
        let from = request.remote_addr().map_or_else(|| "nowhere".to_owned(), |address| address.ip().to_string());
        let kind = request.into_inner().kind;
        if kind == "held" {
            print_line("in Place");
            self.0.passed().await;
        }
        if let Some(bytes) = kind.strip_prefix("large ").and_then(|bytes| bytes.parse().ok()) {
            return Ok(Response::new(Reply { text: "x".repeat(bytes) }));
        }
        Ok(Response::new(Reply { text: format!("{kind} from {from}") }))
    }

    type FollowStream = ReceiverStream<Result<Reply, Status>>;

    async fn follow(&self, request: Request<Order>) -> Result<Response<Self::FollowStream>, Status> {
        let draining = Draining::of(&request);
        let (replies, stream) = mpsc::channel(1);
        let reply = |text: &str| Ok(Reply { text: text.to_owned() });
        tokio::spawn(async move {
            let _ = replies.send(reply("first")).await;
            match request.into_inner().kind.as_str() {
                "polite" => {
                    draining.cancelled().await;
                    let _ = replies.send(reply("last")).await;
                }
                _ => replies.closed().await,
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}
