//! Starts the task of an HTTP connection, whatever protocol it speaks.

#[cfg(not(feature = "http2"))]
use super::http;
#[cfg(feature = "http2")]
use super::http2;
use super::{accept::Handle, listener::Stream, population::Server, service::ConnectionService, stream::Watched};
use std::sync::Arc;

/// Serves each connection with hyper.
pub(super) struct Http<S> {
    pub(super) service: S,
    #[cfg(feature = "http2")]
    pub(super) http2: http2::Builder,
}

impl<T: Stream, S: ConnectionService<T>> Handle<T> for Http<S> {
    fn start(&self, server: &Arc<Server>, stream: T) {
        let service = self.service.of(&stream, &server.context);
        let io = Watched::new(stream, server.join());
        #[cfg(not(feature = "http2"))]
        tokio::spawn(http::Driver::new(io, service));
        #[cfg(feature = "http2")]
        tokio::spawn(http2::Driver::new(io, service, &self.http2));
    }
}
