//! A load generator: keep-alive connections that send the next request after each response.

use crate::Result;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// Open connections to one server.
#[derive(Debug)]
pub struct Load {
    streams: Vec<TcpStream>,
    request: &'static [u8],
    /// The length of every response in bytes.
    length: usize,
}

impl Load {
    /// Opens the connections for this request and determines the length of a response.
    ///
    /// # Errors
    /// A connection is refused or breaks.
    pub async fn open(address: SocketAddr, connections: usize, request: &'static [u8]) -> Result<Self> {
        let mut load = Self { streams: Vec::new(), request, length: 0 };
        for _ in 0..connections {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            stream.write_all(request).await?;
            let mut buffer = [0; 1024];
            load.length = stream.read(&mut buffer).await?;
            load.streams.push(stream);
        }
        Ok(load)
    }

    /// Sends requests for this long. Returns the number of responses, and the number per second.
    ///
    /// # Errors
    /// A connection breaks.
    pub async fn run(&mut self, time: Duration) -> Result<(u64, f64)> {
        let (begun, request, length) = (Instant::now(), self.request, self.length);
        let mut clients = JoinSet::new();
        for mut stream in self.streams.drain(..) {
            clients.spawn(async move {
                let mut responses = 0;
                let mut buffer = vec![0; length];
                while begun.elapsed() < time {
                    stream.write_all(request).await?;
                    stream.read_exact(&mut buffer).await?;
                    responses += 1;
                }
                Ok::<_, std::io::Error>((stream, responses))
            });
        }
        let mut total: u64 = 0;
        while let Some(client) = clients.join_next().await {
            let (stream, responses) = client??;
            self.streams.push(stream);
            total += responses;
        }
        Ok((total, total as f64 / begun.elapsed().as_secs_f64()))
    }
}
