//! Sends requests to one address without retries and counts the failed ones.
//!
//! `load ADDRESS SECONDS REQUESTS_PER_SECOND [keep-alive|new-connections|http2] [PATH]`

use graceful_demo::{Balancer, Counts, Kind, client};
use std::{
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The number of clients that share the load.
const CLIENTS: u32 = 50;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let parsed = match &arguments[..] {
        [address, seconds, rate, rest @ ..] => (|| {
            let address: SocketAddr = address.parse().ok()?;
            let rate: u32 = rate.parse().ok().filter(|rate| *rate > 0)?;
            Some((address, Duration::from_secs(seconds.parse().ok()?), rate, rest))
        })(),
        _ => None,
    };
    let Some((address, length, rate, rest)) = parsed else {
        eprintln!("usage: load ADDRESS SECONDS REQUESTS_PER_SECOND [keep-alive|new-connections|http2] [PATH]");
        return ExitCode::from(2);
    };
    let kind = match rest.first().map(String::as_str) {
        None | Some("keep-alive") => Kind::KeepAlive,
        Some("new-connections") => Kind::NewConnections,
        Some("http2") => Kind::Http2,
        Some(other) => {
            eprintln!("`{other}` is not a kind of client; write keep-alive, new-connections or http2");
            return ExitCode::from(2);
        }
    };
    let path = rest.get(1).map_or("/", String::as_str);
    let (counts, stop) = (Arc::new(Counts::default()), Arc::new(AtomicBool::new(false)));
    let to: Balancer = Arc::new(move || Some(address));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let pace = Duration::from_secs(1) * CLIENTS / rate;
            tokio::spawn(client(to.clone(), path.to_owned(), kind, pace, counts.clone(), stop.clone()))
        })
        .collect();
    tokio::time::sleep(length).await;
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        let _ = client.await;
    }
    println!(
        "{} requests over {} connections, {} failed",
        counts.sent.load(Ordering::Relaxed),
        counts.connections.load(Ordering::Relaxed),
        counts.failed()
    );
    counts.print_failures();
    if counts.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
