//! A gRPC stream.

use crate::{example, traffic_address};
use graceful_tests::Signal;
use tonic::{Request, client::Grpc, codegen::http::uri::PathAndQuery, transport::Endpoint};
use tonic_prost::ProstCodec;

#[derive(Clone, PartialEq, prost::Message)]
struct Item {}

#[derive(Clone, PartialEq, prost::Message)]
struct Price {
    #[prost(uint64, tag = "1")]
    cents: u64,
}

#[test]
fn a_stream_continues_during_grace_and_ends_cleanly_when_the_drain_begins() {
    let app = example!("grpc").start();
    let address = traffic_address(&app);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client = Grpc::new(Endpoint::new(format!("http://{address}")).unwrap().connect().await.unwrap());
        client.ready().await.unwrap();
        let path = PathAndQuery::from_static("/shop.Prices/Follow");
        let codec = ProstCodec::<Item, Price>::default();
        let mut prices = client.server_streaming(Request::new(Item {}), path, codec).await.unwrap().into_inner();
        assert_eq!(prices.message().await.unwrap().unwrap().cents, 100);
        app.begin_shutdown(Signal::TERM);
        let mut last = 100;
        while let Some(price) = prices.message().await.unwrap() {
            last += 1;
            assert_eq!(price.cents, last);
        }
    });
    app.end().with_code(0).logs_in_order(&["grace: ", "draining: ", "hooks: nothing is in flight"]);
}
