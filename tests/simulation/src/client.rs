//! A client: connects, sends its requests in pieces, reads the responses, and connects once more for what is left.

use crate::{
    http2,
    record::{Connection, Ended, Exchange, Shared, now},
    response::{Part, Reader},
    scenario::{Body, Client, End, Reading, Request},
};
use std::{cell::Cell, future::pending, io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
    time::sleep,
};
use turmoil::net::{
    TcpStream,
    tcp::{OwnedReadHalf, OwnedWriteHalf},
};

/// Runs a client to its end.
///
/// # Errors
/// A response of the server is not HTTP.
pub async fn run(client: Client, host: usize, record: Shared) -> Result<(), String> {
    sleep(client.start).await;
    let mut requests = &client.requests[..];
    loop {
        let Ok(stream) = TcpStream::connect("server:80").await else { return Ok(()) };
        let Ok(address) = stream.local_addr() else { return Ok(()) };
        record.trace(|| format!("{address}: has connected"));
        let connection = Connection { host, http2: client.http2, ..Connection::default() };
        let accepted = record.on(address, |known| std::mem::replace(known, connection).accepted);
        record.on(address, |known| known.accepted = accepted);
        let begun = match client.http2 {
            true => http2::run(stream, address, &client, requests, &record).await,
            false => Http1 { client: &client, address, record: &record }.run(stream, requests).await?,
        };
        requests = &requests[begun.min(requests.len())..];
        if requests.is_empty() || !client.reconnects {
            return Ok(());
        }
    }
}

/// A connection of HTTP/1.1.
struct Http1<'a> {
    client: &'a Client,
    address: SocketAddr,
    record: &'a Shared,
}

/// How far a connection is.
#[derive(Default)]
struct Progress {
    begun: Cell<usize>,
    answered: Cell<usize>,
    step: Notify,
}

impl Http1<'_> {
    /// Returns how many requests were begun.
    async fn run(&self, stream: TcpStream, requests: &[Request]) -> Result<usize, String> {
        let progress = Progress::default();
        let (read, write) = stream.into_split();
        let lifetime = match self.client.end {
            End::Drops(after) => after,
            _ => Duration::MAX,
        };
        let ended = tokio::select! {
            biased;
            ended = self.read(read, &progress, requests.len()) => ended?,
            () = self.write(write, &progress, requests) => Ended::ByClient,
            () = sleep(lifetime) => Ended::ByClient,
        };
        self.record.trace(|| format!("{}: has ended, {ended:?}", self.address));
        self.record.on(self.address, |connection| connection.ended = Some((now(), ended)));
        Ok(progress.begun.get())
    }

    /// Sends the requests; returns when the client closes the connection.
    async fn write(&self, mut write: OwnedWriteHalf, progress: &Progress, requests: &[Request]) {
        for request in requests {
            while progress.begun.get() - progress.answered.get() >= self.client.pipelining {
                progress.step.notified().await;
            }
            sleep(request.think).await;
            progress.begun.set(progress.begun.get() + 1);
            if self.send(&mut write, request).await.is_err() {
                return pending().await; // the reader sees why
            }
        }
        if self.client.end == End::HalfCloses {
            self.record.on(self.address, |connection| connection.half_closed = true);
            self.record.trace(|| format!("{}: sends FIN", self.address));
            let _ = write.shutdown().await; // the reader sees a failure
        }
        while self.client.end != End::Closes || progress.answered.get() < requests.len() {
            progress.step.notified().await;
        }
    }

    async fn send(&self, write: &mut OwnedWriteHalf, request: &Request) -> io::Result<()> {
        let bytes = render(request);
        let record = self.record;
        record.on(self.address, |connection| {
            let ends = connection.sent() + bytes.len();
            connection.exchanges.push(Exchange { number: request.number, ends, began: now(), ..Exchange::default() });
        });
        record.trace(|| format!("{}: sends request {}, {} bytes", self.address, request.number, bytes.len()));
        let mut pieces = bytes.chunks(request.piece).peekable();
        while let Some(mut piece) = pieces.next() {
            while !piece.is_empty() {
                let written = write.write(piece).await?;
                record.on(self.address, |connection| {
                    connection.written.push(connection.sent() + written);
                    connection.last_write = now();
                });
                piece = &piece[written..];
            }
            if pieces.peek().is_some() {
                sleep(request.gap).await;
            }
        }
        Ok(())
    }

    /// Reads responses; returns how the connection has ended.
    async fn read(&self, mut read: OwnedReadHalf, progress: &Progress, requests: usize) -> Result<Ended, String> {
        let Reading { size, pause } = self.client.reading;
        let mut buffer = vec![0; size];
        let mut reader = Reader::default();
        let mut closes = false;
        loop {
            if !pause.is_zero() {
                sleep(pause).await;
            }
            match read.read(&mut buffer).await {
                Ok(0) => return Ok(Ended::Eof),
                Ok(length) => {
                    self.record.on(self.address, |connection| connection.read += length);
                    reader.add(&buffer[..length]);
                }
                Err(_) => return Ok(Ended::Reset),
            }
            while let Some(part) = reader.part().map_err(|error| format!("{}: {error}", self.address))? {
                closes |= part == Part::Head { closes: true };
                self.note(part, progress)?;
            }
            let is_done = progress.answered.get() == progress.begun.get() || progress.answered.get() == requests;
            if closes && self.client.closes && is_done {
                return Ok(Ended::ByClient);
            }
        }
    }

    fn note(&self, part: Part, progress: &Progress) -> Result<(), String> {
        let (at, time) = (progress.answered.get(), now());
        let number = self.record.on(self.address, |connection| {
            let exchange = connection.exchanges.get_mut(at)?;
            match part {
                Part::Head { closes } => (exchange.has_head, exchange.closes) = (true, closes),
                Part::End => exchange.completed = Some(time),
            }
            Some(exchange.number)
        });
        let number = number.ok_or_else(|| format!("{}: a response without a request", self.address))?;
        self.record.trace(|| format!("{}: receives {part:?} of {number}", self.address));
        if part == Part::End {
            progress.answered.set(at + 1);
            progress.step.notify_one();
        }
        Ok(())
    }
}

/// The bytes of a request.
fn render(request: &Request) -> Vec<u8> {
    let number = request.number;
    match request.body {
        Body::Empty => format!("GET /{number} HTTP/1.1\r\nHost: server\r\n\r\n").into_bytes(),
        Body::Sized(length) => {
            let mut bytes =
                format!("POST /{number} HTTP/1.1\r\nHost: server\r\nContent-Length: {length}\r\n\r\n").into_bytes();
            bytes.resize(bytes.len() + length, b'.');
            bytes
        }
        Body::Chunked(length) => {
            let mut bytes =
                format!("POST /{number} HTTP/1.1\r\nHost: server\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes();
            for chunk in vec![b'.'; length].chunks(1000) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
            bytes
        }
    }
}
