//! What an idle keep-alive connection holds in memory, counted by the server's own allocator.
//!
//! The server is asked for its live bytes before and after N connections that have each had one answer. The buffers
//! that hyper keeps for a connection are the same for all; what counts is the difference.

use graceful_benches::{Result, client, numbers, server::Kind, subject, subject::Subject};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::{alloc::System, net::TcpStream};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Just below a power of two, just above it, and the size of the target.
const CONNECTIONS: [usize; 3] = [8_000, 8_400, 10_000];

fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn main() -> Result {
    if subject::is_server(held)? {
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
    let (_subject, address) = Subject::server(kind, "current")?;
    let mut asking = client::connect(address)?;
    ask(&mut asking)?; // the first answer fills what is filled once
    let before = ask(&mut asking)?;
    let _idle = client::idle(address, connections)?;
    Ok((ask(&mut asking)? - before) / connections as f64)
}

fn ask(stream: &mut TcpStream) -> Result<f64> {
    Ok(client::exchange(stream, b"GET /held HTTP/1.1\r\nhost: localhost\r\n\r\n")?.1.parse()?)
}
