//! The service of the servers with hyper.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming};
use std::{convert::Infallible, time::Duration};
use tokio::time::sleep;

pub(crate) async fn respond(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
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
