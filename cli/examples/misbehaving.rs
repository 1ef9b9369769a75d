//! A server that misbehaves in the way of its first argument, on the port of its second, or on an address. The tests
//! rehearse it.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
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
        "never-listens" => std::future::pending().await,
        "prints-endlessly" => loop {
            println!("{}", "x".repeat(1000));
        },
        _ => {}
    }
    let address = if port.contains(':') { port.clone() } else { format!("127.0.0.1:{port}") };
    let listener = TcpListener::bind(address).await?;
    let (stop, stopping) = watch::channel(false);
    let mode: &'static str = mode.clone().leak();
    let serve = tokio::spawn(async move {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(respond(stream, mode, stopping.clone()));
            }
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
        "responds-503" => sleep(Duration::from_millis(600)).await,
        "exits-with-5" => {
            sleep(Duration::from_millis(600)).await;
            std::process::exit(5);
        }
        _ => {}
    }
    drop(child);
    Ok(())
}

async fn respond(mut stream: TcpStream, mode: &str, stopping: watch::Receiver<bool>) -> std::io::Result<()> {
    let (mut buffer, mut length) = ([0; 4096], 0);
    loop {
        length += match stream.read(&mut buffer[length..]).await? {
            0 => return Ok(()),
            read => read,
        };
        if !buffer[..length].ends_with(b"\r\n\r\n") {
            continue;
        }
        length = 0;
        let response: &[u8] = match mode {
            "never-responds" => continue,
            "redirects" => b"HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n",
            "responds-404" => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "responds-503" if *stopping.borrow() => b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            "endless-body" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
                let chunk = [b"4000\r\n", &[b'x'; 0x4000][..], b"\r\n"].concat();
                loop {
                    stream.write_all(&chunk).await?;
                }
            }
            "cuts-responses" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no").await?;
                sleep(Duration::from_millis(50)).await;
                b"k"
            }
            _ => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        };
        stream.write_all(response).await?;
    }
}
