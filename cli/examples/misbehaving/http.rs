//! HTTP/1.1, by hand. `/long` is where long clients go.

use futures_util::StreamExt;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::watch,
    time::sleep,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, frame::coding::CloseCode},
    },
};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

pub(crate) async fn respond<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    mode: &str,
    stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let (mut buffer, mut length) = ([0; 4096], 0);
    loop {
        length += match stream.read(&mut buffer[length..]).await? {
            0 => return Ok(()),
            read => read,
        };
        let Some(end) = buffer[..length].windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        if head.split(' ').nth(1) == Some("/long") {
            return long(stream, mode, &head, length - end - 4, stopping).await;
        }
        length = 0;
        let response: &[u8] = match mode {
            "never-responds" => continue,
            "redirects" => b"HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n",
            "responds-404" => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "responds-503" if *stopping.borrow() => b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            "floods-slowly" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: hi\n\n").await?;
                return std::future::pending().await;
            }
            "endless-body" => return flood(stream).await,
            "cuts-responses" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no").await?;
                sleep(Duration::from_millis(50)).await;
                b"k"
            }
            // Both close TCP without close_notify: a complete response, and one that nobody can tell from a cut one.
            "tls-ends-without-notify" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").await?;
                return stream.flush().await;
            }
            "tls-cuts-without-notify" if *stopping.borrow() => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok").await?;
                return stream.flush().await;
            }
            _ => OK,
        };
        stream.write_all(response).await?;
        stream.flush().await?;
    }
}

/// A chunked response that never ends, as fast as the client reads it.
async fn flood<S: AsyncWrite + Unpin>(mut stream: S) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
    let chunk = [b"4000\r\n", &[b'x'; 0x4000][..], b"\r\n"].concat();
    loop {
        stream.write_all(&chunk).await?;
    }
}

/// A request of which this many bytes of the body have been read.
async fn long<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    mode: &str,
    head: &str,
    mut body: usize,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    match mode {
        "floods" => flood(stream).await,
        "cuts-streams" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n").await?;
            std::future::pending().await
        }
        "cuts-websockets" | "tls-closes-websockets" | "closes-websockets-with-an-error" => {
            let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
            let accept = derive_accept_key(key.as_bytes());
            let head = format!(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-accept: {accept}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            // Reading responds to pings.
            let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
            loop {
                tokio::select! {
                    message = socket.next() => match message {
                        Some(Ok(_)) => {}
                        _ => return Ok(()),
                    },
                    _ = stopping.changed(), if mode != "cuts-websockets" => break,
                }
            }
            let reason = "database is closed".into();
            let error =
                (mode == "closes-websockets-with-an-error").then(|| CloseFrame { code: CloseCode::Error, reason });
            socket.close(error).await.map_err(io::Error::other)?;
            while let Some(Ok(_)) = socket.next().await {}
            Ok(())
        }
        "cuts-uploads" => std::future::pending().await,
        _ => {
            if mode == "responds-early" {
                stream.write_all(OK).await?;
            }
            let length =
                head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            while body < length.unwrap_or(0) {
                body += match stream.read(&mut [0; 4096]).await? {
                    0 => return Ok(()),
                    read => read,
                };
            }
            if mode == "responds-early" { Ok(()) } else { stream.write_all(OK).await }
        }
    }
}
