//! A gRPC service whose streams end when the drain begins, and a health port that answers `grpc:` probes of Kubernetes.
//!
//! ```console
//! $ cargo run -p graceful-examples --bin grpc &
//! $ grpcurl -plaintext -d '{"service": "liveness"}' localhost:8081 grpc.health.v1.Health/Check
//! $ kill %1
//! ```

use graceful::tonic::Draining;
use std::time::Duration;
use tokio::{net::TcpListener, sync::mpsc, time::sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, service::Routes};

#[derive(Clone, PartialEq, prost::Message)]
struct Item {}

#[derive(Clone, PartialEq, prost::Message)]
struct Price {
    #[prost(uint64, tag = "1")]
    cents: u64,
}

mod shop {
    #![allow(missing_docs, unreachable_pub)]
    include!(concat!(env!("OUT_DIR"), "/shop.Prices.rs"));
}
use shop::prices_server::{Prices, PricesServer, SERVICE_NAME};

struct Market;

#[tonic::async_trait]
impl Prices for Market {
    type FollowStream = ReceiverStream<Result<Price, Status>>;

    async fn follow(&self, request: Request<Item>) -> Result<Response<Self::FollowStream>, Status> {
        let draining = Draining::of(&request);
        let (prices, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            for cents in 100.. {
                if prices.send(Ok(Price { cents })).await.is_err() {
                    return;
                }
                tokio::select! {
                    () = sleep(Duration::from_secs(1)) => {}
                    () = draining.cancelled() => return, // the client reconnects to another replica
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

#[graceful::main(grace = "5s")]
async fn main(ctx: graceful::Context) -> std::io::Result<()> {
    ctx.grpc_service(SERVICE_NAME); // SERVING in grpc.health.v1 while /readyz is 200
    let listener = TcpListener::bind(std::env::var("LISTEN").unwrap_or("0.0.0.0:50051".to_owned())).await?;
    println!("serving on http://{}", listener.local_addr()?);
    graceful::tonic::serve(listener, Routes::new(PricesServer::new(Market))).await
}
