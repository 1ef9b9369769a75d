//! Starts the task of one HTTP connection, whatever protocol it speaks.

#[cfg(not(feature = "http2"))]
use super::http;
#[cfg(feature = "http2")]
use super::http2;
use super::{
    http::HttpService,
    listener::Stream,
    population::{Member, Server},
    stream::Watched,
};
use hyper::server::conn::http1;
use std::sync::Arc;

/// How connections are served.
#[derive(Clone)]
pub(super) struct Protocols {
    pub(super) http1: http1::Builder,
    #[cfg(feature = "http2")]
    pub(super) http2: http2::Builder,
}

/// Serves one connection in a task of its own.
pub(super) fn spawn<S: Stream, T: HttpService>(server: &Arc<Server>, service: T, stream: S, protocols: &Protocols) {
    let conn = server.join();
    let io = Watched::new(stream, Member(conn.clone()));
    #[cfg(not(feature = "http2"))]
    tokio::spawn(http::Driver::new(io, conn, service, &protocols.http1));
    #[cfg(feature = "http2")]
    tokio::spawn(http2::Driver::new(io, conn, service, &protocols.http1, &protocols.http2));
}
