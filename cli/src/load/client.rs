//! A client: takes due requests and sends them on its connection.

use super::{
    connection::{Closed, Connection, Unanswered},
    fault::Fault,
    request::{Exchange, Mode},
    shared::Shared,
};
use crate::report::{ConnectionEvent, Log, Outcome};
use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout, timeout_at};

/// One client and the log of its thread.
pub(super) struct Client {
    shared: Arc<Shared>,
    log: Rc<RefCell<Log>>,
    mode: Mode,
    kept: Option<Connection>,
}

impl Client {
    pub(super) fn new(shared: Arc<Shared>, log: Rc<RefCell<Log>>, mode: Mode) -> Self {
        Self { shared, log, mode, kept: None }
    }

    /// Sends due requests until the schedule stops.
    pub(super) async fn run(mut self) {
        let shared = self.shared.clone();
        while let Some(due) = shared.schedule.next().await {
            let late = (!due.queued).then(|| shared.schedule.now().saturating_sub(due.at));
            let deadline = Instant::now() + shared.limit;
            let result = match timeout_at(deadline, self.request(deadline)).await {
                Ok(result) => result,
                Err(_) => {
                    self.event(ConnectionEvent::Cut);
                    Err(Fault::timed_out(shared.limit))
                }
            };
            shared.record(&self.log, due.at, late, result, None);
        }
        if let Some(kept) = self.kept.take()
            && let Ok(Err(closed)) = timeout(Duration::from_millis(1), kept.ready()).await
        {
            self.closed(closed);
        }
    }

    async fn request(&mut self, deadline: Instant) -> Result<Outcome, Fault> {
        let shared = self.shared.clone();
        if let Some(kept) = self.kept.take() {
            match kept.ready().await {
                Ok(mut kept) => match kept.exchange(&shared.endpoint).await {
                    // Not a retry: no byte of the request was sent.
                    Err(Unanswered::Unsent) => self.event(ConnectionEvent::ClosedIdle),
                    sent => return self.finish(kept, sent),
                },
                Err(closed) => self.closed(closed),
            }
        }
        let Some(address) = shared.rotation.pick() else {
            return if shared.rolling {
                Err(Fault::new(Outcome::NoReplica, "no copy of the program is in rotation"))
            } else {
                Ok(Outcome::Elsewhere)
            };
        };
        let mut connection = Connection::open(address, &shared.endpoint, self.mode, deadline).await?;
        self.event(ConnectionEvent::Opened);
        let sent = connection.exchange(&shared.endpoint).await;
        self.finish(connection, sent)
    }

    fn finish(&mut self, connection: Connection, sent: Result<Exchange, Unanswered>) -> Result<Outcome, Fault> {
        let exchange = sent.map_err(|unanswered| {
            self.event(ConnectionEvent::Cut);
            unanswered.fault()
        })?;
        match self.mode {
            Mode::NewConnections => {}
            _ if exchange.asked => self.event(ConnectionEvent::Asked),
            _ => self.kept = Some(connection),
        }
        exchange.outcome()
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
