//! hyper alone, without an end: the baseline of what a request costs.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, time::Duration};
use tokio::{net::TcpListener, time::sleep};

async fn respond(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.uri().path() {
        "/now" => "hello\n",
        "/slow" => {
            sleep(Duration::from_secs(1)).await;
            "slow\n"
        }
        "/block" => {
            std::thread::sleep(Duration::from_secs(2));
            "blocked\n"
        }
        _ => {
            sleep(Duration::from_millis(5)).await;
            "hello\n"
        }
    };
    Ok(Response::new(Full::from(body)))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(respond));
        tokio::spawn(connection.with_upgrades());
    }
}
