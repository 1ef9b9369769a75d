//! Instructions per keep-alive request to an axum router: `graceful::axum::serve`, and `axum::serve` with
//! `graceful::tower::GracefulLayer`, against plain `axum::serve`, counted by callgrind.
//!
//! `Router::layer` boxes the future and the body of each route again for any layer. The kind `no-op` measures this cost
//! with a layer that only wraps the body.
//!
//! All kinds serve the same router on a current-thread runtime. No server has HTTP/2; with `--features grpc` all have
//! it, because tonic enables it in the `hyper-util` of `axum::serve` too.

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::Response,
    routing::{Route, get},
    serve::ListenerExt,
};
use graceful::{Builder, Flavor, Health, Plan, tower::GracefulLayer};
use graceful_benches::{Result, callgrind, client, numbers, server};
use http_body_util::BodyExt;
use std::{env, time::Duration};
use tokio::{
    net::TcpStream,
    signal::unix::{SignalKind, signal},
};
use tower::{ServiceExt, layer::layer_fn};

fn main() -> Result {
    match env::args().nth(1) {
        Some(kind) => return run_subject(&kind),
        None => println!("HTTP/2 in the servers: {}", cfg!(feature = "grpc")),
    }
    let count = |kind| callgrind::per_request(&[kind], |address, times| client::send(address, client::REQUEST, times));
    let (plain, shutdown) = (count("plain")?, count("shutdown")?);
    let no_op = count("no-op")?;
    let (ours, layer, both) = (count("graceful")?, count("layer")?, count("layer-shutdown")?);
    println!(
        "instructions of a request: axum::serve {plain:.0}, with_graceful_shutdown {shutdown:.0}, under a no-op layer {no_op:.0}"
    );
    println!("       graceful::axum::serve {ours:.0}");
    println!("       axum::serve under GracefulLayer {layer:.0}, and with_graceful_shutdown {both:.0}");
    numbers::at_most("instructions, graceful::axum::serve / axum::serve", ours / plain, 1.01);
    numbers::at_most("instructions, axum::serve under GracefulLayer / axum::serve", layer / plain, 1.01);
    println!("       a layer that does nothing / axum::serve: {:.4}", no_op / plain);
    println!("       GracefulLayer / a layer that does nothing: {:.4}", layer / no_op);
    println!("       axum's with_graceful_shutdown / axum::serve: {:.4}", shutdown / plain);
    println!("       GracefulLayer and with_graceful_shutdown / axum::serve: {:.4}", both / plain);
    println!("       graceful::axum::serve / axum's with_graceful_shutdown: {:.4}", ours / shutdown);
    println!("       GracefulLayer and with_graceful_shutdown / without the layer: {:.4}", both / shutdown);
    Ok(())
}

fn run_subject(kind: &str) -> Result {
    server::spawn_second_thread();
    let app = Router::new().route("/", get(|| async { "hello\n" }));
    if let "plain" | "shutdown" | "no-op" = kind {
        let app = if kind == "no-op" {
            app.layer(layer_fn(|route: Route| ServiceExt::<Request>::map_response(route, no_op)))
        } else {
            app
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(serve_axum(app, kind == "shutdown"));
    }
    let kind = kind.to_owned();
    let plan = Plan { grace: Duration::ZERO, health: Health::Off, ..Plan::DEFAULT };
    Builder::new().plan(plan).flavor(Flavor::CurrentThread).run(|ctx| async move {
        let listener = server::bind().await?;
        if kind == "graceful" {
            return graceful::axum::serve(listener, app).await;
        }
        let listener = listener.tap_io(without_delay);
        let app = app.layer(GracefulLayer::new(ctx.clone()));
        ctx.ready();
        let draining = ctx.draining();
        if kind == "layer-shutdown" {
            return axum::serve(listener, app).with_graceful_shutdown(draining).await;
        }
        tokio::select! {
            biased;
            () = draining => Ok(()),
            ended = axum::serve(listener, app) => ended,
        }
    });
    Ok(())
}

/// Wraps the body in another type, so that axum boxes it as it does for every layer with its own body type.
fn no_op(response: Response) -> Response<impl axum::body::HttpBody<Data = bytes::Bytes, Error = axum::Error>> {
    response.map(|body: Body| body.map_frame(|frame| frame))
}

async fn serve_axum(app: Router, shutdown: bool) -> Result {
    let listener = server::bind().await?.tap_io(without_delay);
    let mut terminate = signal(SignalKind::terminate())?;
    if shutdown {
        let terminated = async move {
            terminate.recv().await;
        };
        return Ok(axum::serve(listener, app).with_graceful_shutdown(terminated).await?);
    }
    tokio::select! {
        biased;
        _ = terminate.recv() => Ok(()),
        ended = axum::serve(listener, app) => Ok(ended?),
    }
}

/// Sets TCP_NODELAY, as `graceful::axum::serve` does.
fn without_delay(stream: &mut TcpStream) {
    // An error only delays responses.
    let _ = stream.set_nodelay(true);
}
