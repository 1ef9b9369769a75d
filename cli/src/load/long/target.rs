//! Where one long request goes, and how long a client follows it.

use crate::{
    load::{endpoint::Endpoint, fault::Fault, request::Mode, shared::Shared},
    report::Outcome,
};
use std::{net::SocketAddr, time::Duration};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a client waits for the end of a stream once the load has ended.
pub(super) const LAST: Duration = Duration::from_secs(1);

/// A copy of the program, and a URL of it.
pub(super) struct Target<'a> {
    pub(super) shared: &'a Shared,
    pub(super) address: SocketAddr,
    pub(super) endpoint: &'a Endpoint,
}

impl Target<'_> {
    /// HTTP/2 if all clients of the schedule use it: the program may have nothing else.
    pub(super) fn mode(&self) -> Mode {
        if self.shared.modes.iter().all(|mode| mode.is_http2()) { Mode::Http2 } else { Mode::NewConnections }
    }

    /// A part of a request that has the time limit of one.
    pub(super) async fn within_limit<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        part: impl FnOnce(Instant) -> F,
    ) -> Result<T, Fault> {
        let deadline = Instant::now() + self.shared.limit;
        timeout_at(deadline, part(deadline)).await.unwrap_or_else(|_| Err(Fault::timed_out(self.shared.limit)))
    }

    /// Follows an open stream to its end, or to the end of the load.
    pub(super) async fn end_of(
        &self,
        end: impl Future<Output = Result<Outcome, Fault>>,
        cut: Outcome,
    ) -> Result<Outcome, Fault> {
        tokio::pin!(end);
        tokio::select! {
            result = &mut end => return result,
            () = self.shared.schedule.stopped() => {}
        }
        if self.shared.rolling {
            // A copy that runs on after the restart keeps its streams.
            return Ok(Outcome::Success);
        }
        // The program has exited; the last bytes are on their way.
        let open = |_| Err(Fault::new(cut, "still open after the program had exited"));
        timeout(LAST, end).await.unwrap_or_else(open)
    }
}
