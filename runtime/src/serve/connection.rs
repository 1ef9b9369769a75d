//! Starts the task of an HTTP connection, whatever protocol it speaks.

#[cfg(not(feature = "http2"))]
use super::http::Driver;
#[cfg(feature = "http2")]
use super::http2::Driver;
use super::{accept::Handle, listener::Stream, population::Server, service::ConnectionService, stream::Watched};
use std::sync::Arc;

/// Serves each connection with hyper.
pub(super) struct Http<S>(pub(super) S);

impl<T: Stream, S: ConnectionService<T>> Handle<T> for Http<S> {
    fn start(&self, server: &Arc<Server>, stream: T) {
        let service = self.0.of(&stream, &server.context);
        let io = Watched::new(stream, server.join());
        tokio::spawn(Driver::new(io, service));
    }
}
