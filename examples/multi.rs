//! HTTP, gRPC, a TCP protocol and a metrics port in one process. On a signal all servers keep serving during grace and
//! then drain concurrently; the hooks run after the drain; the metrics port serves until the process exits.

use axum::{Router, routing::get};
use graceful::Context;
use std::{error::Error, pin::pin, time::Duration};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[graceful::shutdown_hook(order = 1, timeout = "2s")]
async fn deregister() {
    println!("deregistered from service discovery");
}

async fn hello() -> &'static str {
    metrics::counter!("hello_total").increment(1);
    "hello\n"
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(2)).await;
    "slow\n"
}

async fn shout(stream: TcpStream, ctx: Context) -> std::io::Result<()> {
    let (mut stream, mut line, mut draining) = (BufReader::new(stream), String::new(), pin!(ctx.draining()));
    loop {
        tokio::select! {
            () = &mut draining => return stream.write_all(b"BYE\n").await,
            read = stream.read_line(&mut line) => if read? == 0 { return Ok(()) },
        }
        stream.write_all(std::mem::take(&mut line).to_uppercase().as_bytes()).await?;
    }
}

async fn listen(variable: &str, default: &str) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(std::env::var(variable).as_deref().unwrap_or(default)).await?;
    println!("serving on http://{} ({variable})", listener.local_addr()?);
    Ok(listener)
}

#[graceful::main(grace = "5s")]
async fn main(ctx: Context) -> Result<(), Box<dyn Error>> {
    let http = listen("LISTEN", "0.0.0.0:3000").await?;

    // The shutdown neither drains this server nor waits for it; it ends with the process.
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder()?;
    let metrics = Router::new().route("/metrics", get(async move || recorder.render()));
    tokio::spawn(axum::serve(listen("LISTEN_METRICS", "0.0.0.0:9090").await?, metrics).into_future());

    let app = Router::new().route("/", get(hello)).route("/slow", get(slow));
    let routes = tonic::service::Routes::new(graceful::tonic::health_service(&ctx)); // .add_service(..) yours
    tokio::try_join!(
        graceful::axum::serve(http, app).into_future(),
        graceful::tonic::serve(listen("LISTEN_GRPC", "0.0.0.0:50051").await?, routes).into_future(),
        graceful::tcp::serve(listen("LISTEN_TCP", "0.0.0.0:7000").await?, shout).into_future(),
    )?;
    Ok(())
}
