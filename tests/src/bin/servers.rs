//! Servers that `main` spawns and does not await, or drops while they serve, as the environment variable `SERVER`
//! selects.

use bytes::Bytes;
use graceful_tests::stage::{self, Gate, env_var, print_line};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use std::{
    convert::Infallible,
    io,
    sync::{Arc, Barrier},
};
use tokio::{net::TcpListener, sync::Notify};

const WORKERS: usize = 2;

#[graceful::shutdown_hook(order = 1)]
async fn last_words() {
    print_line("the hook has run");
}

#[graceful::main(grace = "300ms", drain = "20s", worker_threads = 2)]
async fn main(ctx: graceful::Context) -> io::Result<()> {
    let gate = stage::read_commands(&ctx, WORKERS);
    let lost = Arc::new(Notify::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    print_line(format!("serving on {}", listener.local_addr()?));
    let (held, loses) = (gate.clone(), lost.clone());
    let service = service_fn(move |request| {
        let (held, loses) = (held.clone(), loses.clone());
        async move { Ok::<_, Infallible>(respond(request, &held, &loses).await) }
    });
    let server = graceful::serve(listener, service);
    match env_var("SERVER").as_str() {
        "spawned" => {
            tokio::spawn(async move { server.await });
            ctx.draining().await;
            Ok(())
        }
        // The server's task has no free thread from grace until `release`; `main` runs on a separate thread.
        "spawned, and busy from grace on" => {
            tokio::spawn(async move { server.await });
            ctx.terminating().await;
            occupy_the_workers(&gate);
            ctx.draining().await;
            Ok(())
        }
        "select" => tokio::select! {
            served = server => served,
            () = ctx.terminating() => Ok(()),
        },
        "try_join" => {
            let worker = async {
                lost.notified().await;
                Err(io::Error::other("the queue is lost"))
            };
            tokio::try_join!(async move { server.await }, worker).map(|((), ())| ())
        }
        other => Err(io::Error::other(format!("unknown server {other}"))),
    }
}

async fn respond(request: Request<Incoming>, gate: &Gate, lost: &Notify) -> Response<Full<Bytes>> {
    let text = match request.uri().path() {
        "/held" => {
            print_line("in /held");
            gate.passed().await;
            "held\n"
        }
        "/lose" => {
            lost.notify_one();
            "lost\n"
        }
        _ => "fast\n",
    };
    Response::new(Full::new(Bytes::from_static(text.as_bytes())))
}

/// Blocks every worker with untracked tasks.
fn occupy_the_workers(gate: &Arc<Gate>) {
    let barrier = Arc::new(Barrier::new(WORKERS));
    for _ in 0..WORKERS {
        let (barrier, gate) = (barrier.clone(), gate.clone());
        tokio::spawn(async move {
            if barrier.wait().is_leader() {
                print_line("every worker is blocked");
            }
            gate.block_until_open();
        });
    }
}
