//! A connection of hyper without a pool, as a client program of `clients/README.md`: callers share an HTTP/2 connection, and
//! connect again once it is closed. Nothing is retried.

use graceful_tests_peers::callers::{Arguments, run};
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    client::conn::http2::{SendRequest, handshake},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{error::Error, sync::Arc};
use tokio::{net::TcpStream, sync::Mutex};

type Fault = Box<dyn Error + Send + Sync>;

/// The connection that callers share.
#[derive(Clone)]
struct Shared {
    authority: String,
    sender: Arc<Mutex<Option<SendRequest<Full<Bytes>>>>>,
}

impl Shared {
    /// A sender of the connection, or of a new one if it is closed or has received GOAWAY.
    async fn sender(&self) -> Result<SendRequest<Full<Bytes>>, Fault> {
        let mut shared = self.sender.lock().await;
        if let Some(sender) = shared.as_mut()
            && sender.ready().await.is_ok()
        {
            return Ok(sender.clone());
        }
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(shared.insert(sender).clone())
    }

    async fn call(&self, request: Request<Full<Bytes>>) -> Result<(u16, String), Fault> {
        let sent = self.sender().await?.try_send_request(request).await;
        let response: Response<Incoming> = sent.map_err(|error| match error.message() {
            // hyper gives the request back: a client that repeats it executes nothing twice.
            Some(_) => Fault::from("not sent"),
            None => error.into_error().into(),
        })?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8(body.into())?))
    }
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let arguments = Arguments::read();
    if !arguments.http2 {
        return Err("this client speaks HTTP/2 alone".into());
    }
    let method = if arguments.post { Method::POST } else { Method::GET };
    let url: hyper::Uri = arguments.url.parse()?;
    let authority = url.authority().map(ToString::to_string).ok_or("the URL has a host")?;
    let (shared, body) = (Shared { authority, sender: Arc::default() }, arguments.body());
    run(&arguments, move || {
        let (shared, request) = (shared.clone(), Request::builder().method(method.clone()).uri(url.clone()));
        async move { shared.call(request.body(Full::from(body))?).await }
    })
    .await;
    Ok(())
}
