//! A minimal blocking HTTP/1.1 client.

use crate::Result;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// The request of every client.
pub const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A request that the servers of `benches/peers` respond to at once.
pub const NOW: &[u8] = b"GET /now HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// The longest wait before a benchmark fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Opens a connection.
///
/// # Errors
/// The connection is refused.
pub fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request and reads the status and the body of the response.
///
/// # Errors
/// The connection breaks, or the response is malformed.
pub fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<(u16, String)> {
    stream.write_all(request)?;
    let mut buffer = vec![0; 4096];
    let mut held = 0;
    loop {
        if held == buffer.len() {
            buffer.resize(2 * held, 0);
        }
        let bytes = stream.read(&mut buffer[held..])?;
        if bytes == 0 {
            return Err("closed before the response was complete".into());
        }
        held += bytes;
        if let Some(response) = parse_response(&buffer[..held])? {
            return Ok(response);
        }
    }
}

/// Parses a response; `None` if it is incomplete.
fn parse_response(bytes: &[u8]) -> Result<Option<(u16, String)>> {
    let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = (std::str::from_utf8(&bytes[..head])?, &bytes[head + 4..]);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    if body.len() < length.unwrap_or("0").parse()? {
        return Ok(None);
    }
    Ok(Some((head.get(9..12).ok_or("no status")?.parse()?, std::str::from_utf8(body)?.to_owned())))
}

/// Requests a path on a new connection.
///
/// # Errors
/// The connection is refused or breaks.
pub fn get(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    exchange(&mut connect(address)?, request.as_bytes())
}

/// Opens this many keep-alive connections and exchanges this request on each.
///
/// # Errors
/// A connection is refused or breaks.
pub fn idle(address: SocketAddr, connections: usize, request: &[u8]) -> Result<Vec<TcpStream>> {
    let open = || {
        let mut stream = connect(address)?;
        exchange(&mut stream, request)?;
        Ok(stream)
    };
    (0..connections).map(|_| open()).collect()
}

/// Sends this request this many times, one after the other on one connection, and closes it.
///
/// # Errors
/// The connection is refused or breaks.
pub fn send(address: SocketAddr, request: &[u8], times: usize) -> Result {
    let mut stream = connect(address)?;
    for _ in 0..times {
        exchange(&mut stream, request)?;
    }
    Ok(())
}
