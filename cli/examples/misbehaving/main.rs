//! A server that misbehaves in the way of its first argument, on the port of its second, or on an address. The tests
//! rehearse it.

mod grpc;
mod http;
mod tls;

use std::time::Duration;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::sleep,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, mode, port] = &arguments[..] else { return Err(std::io::Error::other("usage: misbehaving MODE PORT")) };
    match mode.as_str() {
        "exits-at-once" => {
            eprintln!("cannot open the database");
            std::process::exit(7);
        }
        "panics-at-once" => {
            (1..=12).for_each(|line| eprintln!("  line {line}"));
            std::process::exit(101);
        }
        "never-listens" => std::future::pending().await,
        "prints-endlessly" => loop {
            println!("{}", "x".repeat(1000));
        },
        _ => {}
    }
    let mode: &'static str = mode.clone().leak();
    let protocol = if mode == "tls-grpc" { "h2" } else { "http/1.1" };
    let acceptor = if mode.starts_with("tls-") { Some(tls::acceptor(protocol)?) } else { None };
    let address = if port.contains(':') { port.clone() } else { format!("127.0.0.1:{port}") };
    let listener = TcpListener::bind(address).await?;
    let (stop, stopping) = watch::channel(false);
    let serve = tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let (stopping, acceptor) = (stopping.clone(), acceptor.clone());
            tokio::spawn(async move {
                match acceptor {
                    _ if mode.starts_with("grpc-") => grpc::serve(stream, mode, stopping).await,
                    Some(_) if mode == "tls-refuses" && *stopping.borrow() => Ok(()),
                    Some(acceptor) if mode == "tls-grpc" => {
                        grpc::serve(acceptor.accept(stream).await?, mode, stopping).await
                    }
                    Some(acceptor) => http::respond(acceptor.accept(stream).await?, mode, stopping).await,
                    None => http::respond(stream, mode, stopping).await,
                }
            });
        }
    });
    let child = match mode {
        "leaves-a-child" => Some(tokio::process::Command::new("sleep").arg("30").spawn()?),
        _ => None,
    };
    if mode == "dies-by-signal" || mode == "cuts-responses" {
        return std::future::pending().await;
    }
    signal(SignalKind::terminate())?.recv().await;
    let _ = stop.send(true);
    match mode {
        "ignores-the-signal" => std::future::pending().await,
        "closes-the-listener" => {
            serve.abort();
            sleep(Duration::from_millis(600)).await;
        }
        // Longer than an upload, so that none is cut.
        "reads-uploads" | "responds-early" => sleep(Duration::from_secs(3)).await,
        "responds-503" | "floods" | "closes-websockets-with-an-error" => sleep(Duration::from_millis(600)).await,
        "exits-with-5" => {
            sleep(Duration::from_millis(600)).await;
            std::process::exit(5);
        }
        // Long behind the propagation of 400 ms, after which no client connects.
        _ if mode.starts_with("tls-") || mode.starts_with("grpc-") => sleep(Duration::from_millis(1500)).await,
        _ => {}
    }
    drop(child);
    Ok(())
}
