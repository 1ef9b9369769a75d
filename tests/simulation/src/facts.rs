//! What is known about a run, and what the documentation allows in it.

use crate::{
    record::{Connection, Ended, Exchange, Record},
    scenario::{Body, Scenario},
};
use graceful::{Phase, Report, What};
use std::time::Duration;

/// The periods in which the drain notices a late client: two sweeps, and the resolution of a connection's age.
pub(crate) const SWEEPS: Duration = Duration::from_millis(250);
/// How long a new connection may be without a request in the drain.
pub(crate) const SILENT: Duration = Duration::from_millis(500);

/// A run that had a drain.
pub(crate) struct Facts<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) record: &'a Record,
    pub(crate) report: &'a Report,
    /// When the grace period began, if there was one.
    pub(crate) grace: Option<Duration>,
    /// When the drain began.
    pub(crate) draining: Duration,
    /// When the hooks began.
    pub(crate) hooks: Duration,
    /// How late a moment may be: messages arrive at the ticks of the network.
    pub(crate) slack: Duration,
}

/// Whether the server had the request when it closed its listener; over HTTP/2, whether it ever had it.
pub(crate) fn has_arrived(connection: &Connection, exchange: &Exchange) -> bool {
    match connection.http2 {
        true => exchange.calls > 0,
        false => connection.arrived >= exchange.ends,
    }
}

impl<'a> Facts<'a> {
    /// The facts of this run; `None` if the second SIGINT has skipped its drain.
    pub(crate) fn of(scenario: &'a Scenario, record: &'a Record, report: &'a Report) -> Option<Self> {
        let at = |phase| {
            let began = |what: &What| matches!(what, What::Phase(other, _) if *other == phase);
            report.entries.iter().find(|entry| began(&entry.what)).map(|entry| record.began + entry.at)
        };
        Some(Self {
            scenario,
            record,
            report,
            grace: at(Phase::Grace),
            draining: at(Phase::Draining)?,
            hooks: at(Phase::Hooks)?,
            slack: scenario.tick * 2 + Duration::from_millis(2),
        })
    }

    /// Whether the second SIGINT may have ended the drain early.
    pub(crate) fn was_skipped(&self) -> bool {
        self.scenario.stop.skip_after.is_some()
    }

    /// How many connections the report names as cut.
    pub(crate) fn reported_cuts(&self) -> usize {
        let cuts = self.report.entries.iter().filter_map(|entry| match &entry.what {
            What::Cut(name, count) if name.starts_with("connections on") => Some(count),
            _ => None,
        });
        cuts.sum()
    }

    /// Whether it was cut with a request that had arrived.
    pub(crate) fn has_lost_a_response(&self, connection: &Connection) -> bool {
        let mut blocked = false;
        let lost = connection.exchanges.iter().any(|exchange| {
            let is_open = exchange.completed.is_none() && exchange.served.is_none();
            let lost = is_open && has_arrived(connection, exchange) && !blocked;
            blocked |= exchange.closes || self.leaves_body_unread(exchange);
            lost
        });
        lost && !self.is_broken(connection) && !self.is_left_by_client(connection)
    }

    /// Whether something was in flight on it when the hooks began, as far as the server could know.
    pub(crate) fn may_be_cut(&self, connection: &Connection) -> bool {
        let round_trips = *self.scenario.latency.end() * 4 + self.scenario.sockets.late * 4 + self.slack;
        let is_recent = |time: Option<Duration>| time.is_some_and(|time| time + self.slack >= self.hooks);
        let is_silent = connection.exchanges.is_empty()
            && self.hooks < self.draining + SILENT.min(self.scenario.drain / 4) + SWEEPS;
        is_silent
            || !connection.is_settled()
            || self.has_trouble(connection)
            || connection.exchanges.iter().any(|exchange| is_recent(exchange.served))
            || connection.last_io + round_trips >= self.hooks
            || connection.http2 && self.hooks < self.draining + round_trips
            // A documented gap: the rest of a body that is read behind the response counts as the beginning of a head.
            || connection.exchanges.last().is_some_and(|last| self.leaves_body_unread(last))
    }

    /// Whether the server's end was open when the hooks began.
    pub(crate) fn was_open_at_the_end(&self, connection: &Connection) -> bool {
        connection.accepted.is_some_and(|accepted| accepted <= self.hooks)
            && connection.dropped.is_none_or(|dropped| dropped + self.slack >= self.hooks)
    }

    /// Whether its network has lost or delayed messages.
    pub(crate) fn has_trouble(&self, connection: &Connection) -> bool {
        self.scenario.hosts[connection.host].trouble.is_some()
    }

    /// Whether the network has lost a message of it.
    pub(crate) fn is_broken(&self, connection: &Connection) -> bool {
        let trouble = self.scenario.hosts[connection.host].trouble.filter(|trouble| trouble.loses);
        trouble.is_some_and(|trouble| connection.ended.is_none_or(|(ended, _)| ended >= trouble.at))
    }

    /// Whether the client has closed it, or has half-closed it and hyper does not go on then.
    pub(crate) fn is_left_by_client(&self, connection: &Connection) -> bool {
        matches!(connection.ended, Some((_, Ended::ByClient)))
            || (connection.half_closed && !self.scenario.limits.half_close)
    }

    /// Whether hyper closes behind the response: the handler has not read the request's body.
    pub(crate) fn leaves_body_unread(&self, exchange: &Exchange) -> bool {
        let requests = self.scenario.hosts.iter().flat_map(|host| &host.clients).flat_map(|client| &client.requests);
        let body = requests.clone().find(|request| request.number == exchange.number).map(|request| request.body);
        !self.scenario.handling[exchange.number].reads_body && body.is_some_and(|body| body != Body::Empty)
    }

    /// A gap that the documentation names: the client has sent bytes while it had not read the response, and they have
    /// arrived at a connection that was closed already. For turmoil a FIN that arrives then is no better than bytes.
    pub(crate) fn is_reset_by_further_bytes(&self, connection: &Connection, exchange: &Exchange) -> bool {
        let latest = *self.scenario.latency.end() + self.slack;
        let sends_behind = connection.sent() > exchange.ends || connection.half_closed;
        matches!(connection.ended, Some((_, Ended::Reset)))
            && exchange.served.is_some_and(|served| connection.last_write + latest >= served)
            && (sends_behind || self.leaves_body_unread(exchange))
    }
}
