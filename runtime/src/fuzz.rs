//! The internals that fuzz targets call. Not a public interface.

use crate::{
    checks::board::Board, context::Context, error::StartError, health::server::Server, phase::Phase,
    report::recorder::Recorder, settings::Settings, shared::Request,
};
use graceful_plan::Plan;
use std::ffi::OsString;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::Handle,
    sync::mpsc::UnboundedReceiver,
};

/// The plan and the token of `/prestop` in an environment.
///
/// # Errors
/// Why the process refuses to start.
pub fn settings(variable: impl Fn(&str) -> Option<OsString>) -> Result<(Plan, Option<String>), StartError> {
    Settings::resolve(Plan::DEFAULT, &[], variable).map(|settings| (settings.plan, settings.prestop_token))
}

/// The health server of a process that starts, without its listener.
#[allow(missing_debug_implementations)]
pub struct HealthServer {
    context: Context,
    server: Server,
    requests: UnboundedReceiver<Request>,
}

impl HealthServer {
    /// A server in the current runtime, with this token for `/prestop`.
    pub fn new(token: Option<String>) -> Self {
        let (board, recorder) = (Board::new([]), Recorder::new(|_| {}));
        let (context, requests) = Context::open(Plan::DEFAULT, false, board, recorder, Handle::current());
        if let Some(token) = token {
            let _ = context.0.prestop_token.set(token);
        }
        Self { server: Server::new(context.clone()), context, requests }
    }

    /// Serves a connection in a task of its own.
    pub fn admit(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        self.server.admit(stream);
    }

    /// How many requests to the lifecycle the probes have sent.
    pub fn lifecycle_requests(&mut self) -> usize {
        std::iter::from_fn(|| self.requests.try_recv().ok()).count()
    }

    /// Ends grace.
    pub fn drain(&self) {
        self.context.0.enter(Phase::Draining);
    }
}
