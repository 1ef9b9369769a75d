//! gRPC over HTTP/2. Every method responds with a health status: SERVING, and NOT_SERVING from the signal on.

use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::{
    HeaderMap, Request, Response,
    body::{Frame, Incoming},
    header::HeaderValue,
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{convert::Infallible, io, pin::pin};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};

pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    mode: &str,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let seen = stopping.clone();
    let call = |_: Request<Incoming>| {
        let is_stopping = *seen.borrow();
        let code = match mode {
            "grpc-unavailable" if is_stopping => "14",
            "grpc-unimplemented" => "12",
            "grpc-invalid" => "3",
            _ => "0",
        };
        let status = if is_stopping { 2 } else { 1 };
        let message = Bytes::from(vec![0, 0, 0, 0, 2, 0x08, status]);
        let mut trailers = HeaderMap::new();
        if mode != "grpc-no-status" {
            trailers.insert("grpc-status", HeaderValue::from_static(code));
            trailers.insert("grpc-message", HeaderValue::from_static("going%20away"));
        }
        let frame = move || Ok(Frame::data(message.clone()));
        let body: BoxBody<Bytes, Infallible> = match mode {
            "grpc-streams" => {
                BoxBody::new(StreamBody::new(stream::once(future::ready(frame())).chain(stream::pending())))
            }
            _ => BoxBody::new(
                StreamBody::new(stream::once(future::ready(frame()))).with_trailers(async { Some(Ok(trailers)) }),
            ),
        };
        async move { Ok::<_, Infallible>(Response::new(body)) }
    };
    let connection = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service_fn(call));
    let mut connection = pin!(connection);
    if mode == "tls-grpc" {
        tokio::select! {
            result = &mut connection => return result.map_err(io::Error::other),
            _ = stopping.changed() => connection.as_mut().graceful_shutdown(),
        }
    }
    connection.await.map_err(io::Error::other)
}
