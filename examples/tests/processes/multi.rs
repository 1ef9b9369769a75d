//! HTTP, gRPC, TCP and a metrics port in one process.

use crate::{address, example};
use graceful_tests::{Client, Signal, probe, pulse::on_a_responsive_machine, wait_for};
use std::net::SocketAddr;
use tonic::transport::Endpoint;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// The health status of the gRPC port, over a new connection.
fn grpc_health(to: SocketAddr) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let channel = Endpoint::new(format!("http://{to}")).unwrap().connect().await.unwrap();
        let response = HealthClient::new(channel).check(HealthCheckRequest::default()).await.unwrap().into_inner();
        response.status().as_str_name().to_owned()
    })
}

#[test]
fn servers_hooks_and_the_metrics_port_end_in_order() {
    on_a_responsive_machine(|| {
        let app = example!("multi").start();
        let ports = ["(LISTEN)", "(LISTEN_GRPC)", "(LISTEN_TCP)", "(LISTEN_METRICS)"];
        let [http, grpc, tcp, metrics] = ports.map(|part| address(&app, part));
        assert_eq!(Client::new(http).get("/").status, 200);
        let mut shouting = Client::new(tcp);
        shouting.write("hello\n");
        assert_eq!(shouting.read_until("\n").unwrap(), "HELLO\n");
        let seen = probe(metrics, "/metrics").unwrap().body;
        assert!(seen.contains("hello_total 1\n"), "{seen}");
        wait_for(metrics, "/metrics", 200, &format!("graceful_in_flight{{name=\"connections on {tcp}\"}} 1\n"));

        assert_eq!(grpc_health(grpc), "SERVING");

        let mut slow = Client::new(http);
        app.begin_shutdown(Signal::TERM);
        shouting.write("still there?\n");
        assert_eq!(shouting.read_until("\n").unwrap(), "STILL THERE?\n");
        assert_eq!(grpc_health(grpc), "NOT_SERVING");
        slow.send("/slow");
        app.logs("draining: ");
        assert_eq!(shouting.read_until("\n").unwrap(), "BYE\n");
        shouting.expect_close();
        // The metrics port serves until the process exits.
        let seen = probe(metrics, "/metrics").unwrap().body;
        assert!(seen.contains("graceful_phase 3\n"), "{seen}");
        assert_eq!(slow.response().body, "slow\n");
        let ended = app.end();
        ended.with_code(0).logs_in_order(&[
            "draining: waiting up to 10s for main",
            "main returned",
            "hooks: nothing is in flight",
            "waited longest for connections on ",
            "hook 1 deregister",
        ]);
        ended.prints_in_order(&["deregistered from service discovery"]);
    });
}
