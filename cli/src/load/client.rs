//! A client: takes due requests and sends them on its connection.

use super::{
    connection::{Closed, Connection, Fault, Mode, Sent, closed_at_once, fetch},
    endpoint::Endpoint,
    rotation::Rotation,
    schedule::Schedule,
};
use crate::report::{ConnectionEvent, Log, Outcome, Record};
use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

/// What all clients share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) schedule: Schedule,
    pub(crate) endpoint: Endpoint,
    /// Where new connections go. Once it is empty, load balancers have removed the program: connections stay, and no
    /// new one is opened.
    pub(crate) rotation: Rotation,
    /// A rolling restart, in which the rotation must not be empty.
    pub(crate) rolling: bool,
    /// The kinds of clients, in turn.
    pub(crate) modes: Vec<Mode>,
    pub(crate) limit: Duration,
    /// Requests that ended, and those that failed, for the live line.
    pub(crate) ended: AtomicU64,
    pub(crate) failed: AtomicU64,
}

/// One client and the log of its thread.
pub(crate) struct Client {
    shared: Arc<Shared>,
    log: Rc<RefCell<Log>>,
    mode: Mode,
    kept: Option<Connection>,
}

impl Client {
    pub(crate) fn new(shared: Arc<Shared>, log: Rc<RefCell<Log>>, mode: Mode) -> Self {
        Self { shared, log, mode, kept: None }
    }

    /// Sends due requests until the schedule stops.
    pub(crate) async fn run(mut self) {
        let shared = self.shared.clone();
        while let Some(due) = shared.schedule.next().await {
            let late = (!due.queued).then(|| shared.schedule.now().saturating_sub(due.at));
            let result = match timeout(shared.limit, self.request()).await {
                Ok(result) => result,
                Err(_) => {
                    self.event(ConnectionEvent::Cut);
                    Err(timed_out(shared.limit))
                }
            };
            record(&shared, &self.log, due.at, late, result, false);
        }
        if let Some(kept) = self.kept.take()
            && let Ok(Err(closed)) = timeout(Duration::from_millis(1), kept.ready()).await
        {
            self.closed(closed);
        }
    }

    async fn request(&mut self) -> Result<Outcome, Fault> {
        if let Some(kept) = self.kept.take() {
            match kept.ready().await {
                Ok(mut kept) => match kept.exchange(&self.shared.endpoint).await {
                    // Not a retry: no byte of the request was sent.
                    Sent::Unsent => self.event(ConnectionEvent::ClosedIdle),
                    sent => return self.finish(kept, sent),
                },
                Err(closed) => self.closed(closed),
            }
        }
        let Some(address) = self.shared.rotation.pick() else {
            let error = "no copy of the program is in rotation".to_owned();
            return if self.shared.rolling {
                Err(Fault { outcome: Outcome::NoReplica, error })
            } else {
                Ok(Outcome::Elsewhere)
            };
        };
        let mut connection = Connection::open(address, self.mode).await?;
        self.event(ConnectionEvent::Opened);
        let sent = connection.exchange(&self.shared.endpoint).await;
        self.finish(connection, sent)
    }

    fn finish(&mut self, connection: Connection, sent: Sent) -> Result<Outcome, Fault> {
        let exchange = match sent {
            Sent::Complete(exchange) => exchange,
            Sent::Failed(fault) => {
                self.event(ConnectionEvent::Cut);
                return Err(fault);
            }
            Sent::Unsent => {
                self.event(ConnectionEvent::Cut);
                return Err(closed_at_once());
            }
        };
        match self.mode {
            Mode::NewConnections => {}
            _ if exchange.asked => self.event(ConnectionEvent::Asked),
            _ => self.kept = Some(connection),
        }
        outcome(exchange.status.as_u16())
    }

    fn closed(&self, closed: Closed) {
        self.event(match closed {
            Closed::Idle => ConnectionEvent::ClosedIdle,
            Closed::Asked => ConnectionEvent::Asked,
        });
    }

    fn event(&self, event: ConnectionEvent) {
        self.log.borrow_mut().connections.push((self.shared.schedule.now(), event));
    }
}

/// Sends long requests, one after the other, each on a connection of its own.
pub(crate) async fn slow(shared: Arc<Shared>, log: Rc<RefCell<Log>>, endpoint: Endpoint) {
    let mode = if shared.modes == [Mode::Http2] { Mode::Http2 } else { Mode::NewConnections };
    while !shared.schedule.is_stopped() {
        let Some(address) = shared.rotation.pick() else { return };
        let start = shared.schedule.now();
        let result = match timeout(shared.limit, fetch(address, &endpoint, mode)).await {
            Ok(Ok(exchange)) => outcome(exchange.status.as_u16()),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(timed_out(shared.limit)),
        };
        let is_failure = result.is_err();
        record(&shared, &log, start, None, result, true);
        if is_failure || shared.schedule.now() - start < 1000 {
            // A failure, or a response that is not slow, does not turn into a busy loop.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn record(
    shared: &Shared,
    log: &RefCell<Log>,
    due: u64,
    late: Option<u64>,
    result: Result<Outcome, Fault>,
    slow: bool,
) {
    let now = shared.schedule.now();
    let mut log = log.borrow_mut();
    let outcome = result.unwrap_or_else(|Fault { outcome, error }| {
        log.add_error(outcome, now, error);
        outcome
    });
    shared.ended.fetch_add(1, Ordering::Relaxed);
    shared.failed.fetch_add(u64::from(outcome.is_failure()), Ordering::Relaxed);
    let short = |micros: u64| u32::try_from(micros).unwrap_or(u32::MAX);
    log.records.push(Record { due, late: late.map(short), latency: short(now.saturating_sub(due)), outcome, slow });
}

fn outcome(status: u16) -> Result<Outcome, Fault> {
    match status {
        200..300 => Ok(Outcome::Success),
        _ => Err(Fault { outcome: Outcome::Status(status), error: format!("status {status}") }),
    }
}

fn timed_out(limit: Duration) -> Fault {
    Fault { outcome: Outcome::Timeout, error: format!("no complete response within {limit:?}") }
}
