//! A client of few bytes and no cleverness.

use crate::Result;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// What every client sends.
pub const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// How long anything may take before a benchmark gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Opens a connection.
///
/// # Errors
/// It is refused.
pub fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request and reads the answer: its status and its body.
///
/// # Errors
/// The connection breaks, or the answer is none.
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
            return Err("closed before the answer was whole".into());
        }
        held += bytes;
        if let Some(answer) = whole(&buffer[..held])? {
            return Ok(answer);
        }
    }
}

fn whole(bytes: &[u8]) -> Result<Option<(u16, String)>> {
    let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = (std::str::from_utf8(&bytes[..head])?, &bytes[head + 4..]);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    if body.len() < length.unwrap_or("0").parse()? {
        return Ok(None);
    }
    Ok(Some((head.get(9..12).ok_or("no status")?.parse()?, std::str::from_utf8(body)?.to_owned())))
}

/// Asks for a path on a connection of its own.
///
/// # Errors
/// It is refused or breaks.
pub fn get(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    exchange(&mut connect(address)?, request.as_bytes())
}

/// Opens this many connections, each of which has had one answer.
///
/// # Errors
/// One is refused or breaks.
pub fn idle(address: SocketAddr, connections: usize) -> Result<Vec<TcpStream>> {
    let open = || {
        let mut stream = connect(address)?;
        exchange(&mut stream, REQUEST)?;
        Ok(stream)
    };
    (0..connections).map(|_| open()).collect()
}

/// Sends this many requests on one connection, each after the answer to the one before, and closes it.
///
/// # Errors
/// It is refused or breaks.
pub fn send(address: SocketAddr, requests: usize) -> Result {
    let mut stream = connect(address)?;
    for _ in 0..requests {
        exchange(&mut stream, REQUEST)?;
    }
    Ok(())
}
