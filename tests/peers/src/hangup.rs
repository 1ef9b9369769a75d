//! A server that loses requests as a restart can, at every second request of a connection: what a client then does shows
//! whether it retries.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hangup {
    /// After the first response, before the next request: the client can know it. No `Connection: close` says so.
    Idle,
    /// When the second request has arrived, which is not read: the kernel resets the connection.
    Reset,
    /// When the second request has been read, without a response.
    Unanswered,
}

/// A running server. It runs until the process ends.
pub struct HangupServer {
    /// Where it listens.
    pub address: SocketAddr,
    lost: Arc<AtomicU64>,
}

impl HangupServer {
    /// Starts the server.
    ///
    /// # Errors
    /// No port is free.
    pub fn start(hangup: Hangup) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, lost) = (listener.local_addr()?, Arc::new(AtomicU64::new(0)));
        let counted = lost.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let lost = counted.clone();
                // A connection that the client ends is no failure.
                thread::spawn(move || drop(serve(&stream, hangup, &lost)));
            }
        });
        Ok(Self { address, lost })
    }

    /// The number of connections that ended with a request, or, with [`Hangup::Idle`], after the first response.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

fn serve(stream: &TcpStream, hangup: Hangup, lost: &AtomicU64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    respond(stream, &read(&mut reader)?)?;
    match hangup {
        // A little later than the response, so that no client sees both at once.
        Hangup::Idle => thread::sleep(Duration::from_millis(1)),
        Hangup::Reset if stream.peek(&mut [0])? > 0 => {}
        Hangup::Reset => return Ok(()),
        Hangup::Unanswered => drop(read(&mut reader)?),
    }
    lost.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Reads a request, and returns the text of its response.
fn read(reader: &mut BufReader<&TcpStream>) -> io::Result<String> {
    let (mut length, mut line) = (0, String::new());
    let mut post = false;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        post |= line.starts_with("POST");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    io::copy(&mut reader.take(length), &mut io::sink())?;
    Ok(if post { format!("{length}\n") } else { "hello\n".to_owned() })
}

fn respond(mut stream: &TcpStream, text: &str) -> io::Result<()> {
    stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len()).as_bytes())
}
