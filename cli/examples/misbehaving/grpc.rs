//! gRPC over HTTP/2 without TLS. Every method responds with the health status SERVING.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request, Response, body::Incoming, header::HeaderValue, server::conn::http2, service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{convert::Infallible, io};
use tokio::{net::TcpStream, sync::watch};

pub(crate) async fn serve(stream: TcpStream, mode: &str, stopping: watch::Receiver<bool>) -> io::Result<()> {
    let call = |_: Request<Incoming>| {
        let is_stopping = *stopping.borrow();
        let code = match mode {
            "grpc-unavailable" if is_stopping => "14",
            "grpc-unimplemented" => "12",
            _ => "0",
        };
        // NOT_SERVING from the signal on, as health services of programs that shut down respond.
        let status = if is_stopping { 2 } else { 1 };
        let message = Full::new(Bytes::from(vec![0, 0, 0, 0, 2, 0x08, status]));
        let mut trailers = HeaderMap::new();
        if mode != "grpc-no-status" {
            trailers.insert("grpc-status", HeaderValue::from_static(code));
            trailers.insert("grpc-message", HeaderValue::from_static("going%20away"));
        }
        async move { Ok::<_, Infallible>(Response::new(message.with_trailers(async { Some(Ok(trailers)) }))) }
    };
    let connection = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service_fn(call));
    connection.await.map_err(io::Error::other)
}
