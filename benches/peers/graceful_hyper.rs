//! A hyper service, served by `graceful`.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
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

#[graceful::main(grace = "3s", drain = "5s")]
async fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    graceful::serve(TcpListener::bind(address).await?, service_fn(respond)).await
}
