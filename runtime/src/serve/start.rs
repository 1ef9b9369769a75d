//! Starts the task of an HTTP connection.

#[cfg(not(feature = "http2"))]
use super::http1::ConnectionTask;
#[cfg(feature = "http2")]
use super::http2::ConnectionTask;
use super::{accept::Handle, io::ConnIo, listener::Stream, server::Server, service::ConnectionService};
use std::sync::Arc;

/// Serves each connection with hyper.
pub(super) struct Http<S>(pub(super) S);

impl<T: Stream, S: ConnectionService<T>> Handle<T> for Http<S> {
    fn start(&self, server: &Arc<Server>, stream: T) {
        let Some(guard) = server.join() else { return };
        let service = self.0.of(&stream, &server.context);
        let io = ConnIo::new(stream, guard);
        tokio::spawn(ConnectionTask::new(io, service));
    }
}
