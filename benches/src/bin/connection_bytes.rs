//! The memory of an idle keep-alive connection, counted by the server's allocator.
//!
//! The client requests the server's live bytes before and after opening N connections with one response each. hyper's
//! buffers of a connection are the same for all kinds, so the difference between kinds is compared.

use graceful_benches::{Result, client, numbers, server, server::Kind};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::{alloc::System, net::TcpStream};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Just below a power of two, just above it, and the number of the target.
const CONNECTIONS: [usize; 3] = [8_000, 8_400, 10_000];

fn live_bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn main() -> Result {
    if server::run_if_requested(live_bytes)? {
        return Ok(());
    }
    for connections in CONNECTIONS {
        let bytes = |kind| per_connection(kind, connections);
        let (ours, bare) = (bytes(Kind::Graceful)?, bytes(Kind::Bare)?);
        println!(
            "{connections} connections: graceful {ours:.1}, bare {bare:.1}, hyper-util {:.1} bytes each",
            bytes(Kind::HyperUtil)?
        );
        numbers::at_most("bytes of a connection, graceful - bare", ours - bare, 64.0);
    }
    Ok(())
}

fn per_connection(kind: Kind, connections: usize) -> Result<f64> {
    let (_subject, address) = server::start(kind, "current")?;
    let mut stream = client::connect(address)?;
    request_live_bytes(&mut stream)?; // the first response allocates this connection's buffers
    let before = request_live_bytes(&mut stream)?;
    let _idle = client::idle(address, connections, client::REQUEST)?;
    Ok((request_live_bytes(&mut stream)? - before) / connections as f64)
}

fn request_live_bytes(stream: &mut TcpStream) -> Result<f64> {
    Ok(client::exchange(stream, b"GET /live-bytes HTTP/1.1\r\nhost: localhost\r\n\r\n")?.1.parse()?)
}
