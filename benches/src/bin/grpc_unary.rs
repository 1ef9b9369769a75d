//! Instructions per unary call on one connection: `graceful::tonic::serve` against tonic's `Server`, counted by
//! callgrind.
//!
//! The service is tonic-health's `Check`, and the client is this process. Both servers run on a current-thread runtime.

use graceful::{Builder, Flavor, Health, Plan};
use graceful_benches::{Result, callgrind, server};
use std::{env, net::SocketAddr, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use tonic::{
    service::Routes,
    transport::{
        Channel, Endpoint,
        server::{Server, TcpIncoming},
    },
};
use tonic_health::{
    pb::{HealthCheckRequest, health_client::HealthClient},
    server::health_reporter,
};

fn main() -> Result {
    if let Some(kind) = env::args().nth(1) {
        return run_subject(&kind);
    }
    let count = |kind| callgrind::per_request(&[kind], call);
    let (ours, tonic) = (count("graceful")?, count("tonic")?);
    println!("instructions of a unary call: graceful::tonic::serve {ours:.0}, tonic's Server {tonic:.0}");
    println!("       instructions, graceful::tonic::serve / tonic's Server: {:.4}", ours / tonic);
    Ok(())
}

fn call(address: SocketAddr, calls: usize) -> Result {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let channel: Channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
        let mut client = HealthClient::new(channel);
        for _ in 0..calls {
            client.check(HealthCheckRequest::default()).await?;
        }
        Ok(())
    })
}

fn run_subject(kind: &str) -> Result {
    server::spawn_second_thread();
    let (_reporter, service) = health_reporter();
    if kind == "graceful" {
        let plan = Plan { grace: Duration::ZERO, health: Health::Off, ..Plan::DEFAULT };
        Builder::new()
            .plan(plan)
            .flavor(Flavor::CurrentThread)
            .run(|_| async move { graceful::tonic::serve(server::bind().await?, Routes::new(service)).await });
        return Ok(());
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let incoming = TcpIncoming::from(server::bind().await?).with_nodelay(Some(true));
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            biased;
            _ = terminate.recv() => Ok(()),
            ended = Server::builder().add_service(service).serve_with_incoming(incoming) => Ok(ended?),
        }
    })
}
