//! Long clients beside the schedule: each keeps one long request, upload or stream in flight.

mod streams;
mod target;
mod websocket;

use super::{
    connection::{Connection, Unanswered},
    endpoint::Endpoint,
    fault::Fault,
    request::{self, Body, Mode, read},
    shared::Shared,
};
use crate::report::{Log, Long, Outcome};
use hyper::Request;
use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};
use target::Target;
use tokio::time::{Instant, sleep, timeout};

/// The number of clients of each kind.
pub(super) const CLIENTS: usize = 4;
/// The pause after a request that failed or was shorter than the pause, so that neither turns into a busy loop.
const PAUSE: Duration = Duration::from_millis(50);

/// Requests that end by themselves begin at different times within this one, so that the signal meets each at another
/// point of it.
const SPREAD: Duration = Duration::from_secs(1);

/// When the client of this number begins.
fn begin(kind: Long, client: usize) -> Duration {
    match kind {
        Long::Slow | Long::Upload => SPREAD * client as u32 / CLIENTS as u32,
        Long::WebSocket | Long::Stream => Duration::ZERO,
    }
}

/// One request after the other, each on a connection of its own, while a copy is in rotation.
pub(super) async fn run(shared: Arc<Shared>, log: Rc<RefCell<Log>>, (kind, endpoint): (Long, Endpoint), client: usize) {
    let _ = timeout(begin(kind, client), shared.schedule.stopped()).await;
    while !shared.schedule.is_stopped() {
        let Some(address) = shared.rotation.pick() else { return };
        let (start, due) = (Instant::now(), shared.schedule.now());
        let target = Target { shared: &shared, address, endpoint: &endpoint };
        let result = match kind {
            Long::Slow => exchange(&target, request::request).await,
            Long::Upload => upload(&target).await,
            Long::WebSocket => websocket::talk(&target).await,
            Long::Stream => streams::read(&target).await,
        };
        let is_failure = result.is_err();
        shared.record(&log, due, None, result, Some(kind));
        if is_failure || start.elapsed() < PAUSE {
            sleep(PAUSE).await;
        }
    }
}

async fn upload(target: &Target<'_>) -> Result<Outcome, Fault> {
    let limit = target.shared.limit;
    let result = exchange(target, |endpoint, mode| request::upload(endpoint, mode, limit)).await;
    result.map_err(|fault| match fault.outcome {
        Outcome::ResetBeforeResponse => Fault { outcome: Outcome::UploadCut, ..fault },
        _ => fault,
    })
}

/// One request with its response, within the time limit.
async fn exchange(
    target: &Target<'_>,
    request: impl FnOnce(&Endpoint, Mode) -> Request<Body>,
) -> Result<Outcome, Fault> {
    let (mode, endpoint) = (target.mode(), target.endpoint);
    let exchange = target.within_limit(|deadline| async move {
        let mut connection = Connection::open(target.address, endpoint, mode, deadline).await?;
        let response = connection.send(request(endpoint, mode)).await.map_err(Unanswered::fault)?;
        read(response, None).await
    });
    exchange.await?.outcome()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_end_by_themselves_are_spread_and_streams_begin_at_once() {
        let begins = |kind| [0, 1, 2, 3].map(|client| begin(kind, client).as_millis());
        assert_eq!((begins(Long::Slow), begins(Long::Upload)), ([0, 250, 500, 750], [0, 250, 500, 750]));
        assert_eq!((begins(Long::Stream), begins(Long::WebSocket)), ([0; 4], [0; 4]));
    }
}
