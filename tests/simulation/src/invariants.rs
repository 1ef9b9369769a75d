//! What must hold after every run.

use crate::{
    record::{Connection, Ended, Exchange, Record},
    scenario::{Body, Scenario},
    tally::Tally,
};
use graceful::{HookOutcome, MainResult, Phase, Report, What};
use std::time::Duration;

/// How long a connection may linger behind its last response.
const LINGER: Duration = Duration::from_secs(1);
/// The periods in which the drain notices a late client: two sweeps, and the resolution of a connection's age.
const SWEEPS: Duration = Duration::from_millis(250);
/// How long a new connection may stay silent in the drain.
const SILENT: Duration = Duration::from_millis(500);

/// Checks a run.
///
/// # Errors
/// Every invariant that does not hold.
pub fn check(scenario: &Scenario, record: &Record) -> Result<Tally, Vec<String>> {
    let Some(report) = &record.report else { return Err(vec!["the lifecycle has no report".to_owned()]) };
    let (Some(draining), Some(hooks)) = (at(report, Phase::Draining, record), at(report, Phase::Hooks, record)) else {
        // The second SIGINT has skipped the drain.
        let phases: Vec<_> = report.phases().collect();
        return match scenario.stop.skip_after.is_some() && phases.is_sorted() && phases.ends_with(&[Phase::Stopped]) {
            true => Ok(Tally { runs: 1, ..Tally::default() }),
            false => Err(vec![format!("the phases are {phases:?}")]),
        };
    };
    let slack = scenario.tick * 2 + Duration::from_millis(2);
    let mut run =
        Run { scenario, record, report, draining, hooks, slack, problems: Vec::new(), tally: Tally::default() };
    run.lifecycle();
    run.listener();
    for connection in record.connections.values() {
        run.connection(connection);
    }
    run.cuts();
    run.end_of_drain();
    match run.problems.is_empty() {
        true => Ok(run.tally),
        false => Err(run.problems),
    }
}

/// When this phase began, in the time of the run.
fn at(report: &Report, phase: Phase, record: &Record) -> Option<Duration> {
    let entry = report.entries.iter().find(|entry| matches!(entry.what, What::Phase(other, _) if other == phase))?;
    Some(record.began + entry.at)
}

struct Run<'a> {
    scenario: &'a Scenario,
    record: &'a Record,
    report: &'a Report,
    draining: Duration,
    hooks: Duration,
    slack: Duration,
    problems: Vec<String>,
    tally: Tally,
}

impl Run<'_> {
    fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    fn was_skipped(&self) -> bool {
        self.scenario.stop.skip_after.is_some()
    }

    /// How many connections the report names as cut.
    fn reported_cuts(&self) -> usize {
        let cuts = self.report.entries.iter().filter_map(|entry| match &entry.what {
            What::Cut(name, count) if name.starts_with("connections on") => Some(count),
            _ => None,
        });
        cuts.sum()
    }

    /// The phases in order, each as long as the plan says, `main`, the hook and the exit code.
    fn lifecycle(&mut self) {
        let phases: Vec<_> = self.report.phases().collect();
        if !phases.windows(2).all(|pair| pair[0] < pair[1]) || !phases.ends_with(&[Phase::Hooks, Phase::Stopped]) {
            self.problem(format!("the phases are {phases:?}"));
        }
        if phases.contains(&Phase::Serving) != phases.contains(&Phase::Grace) {
            self.problem(format!("grace belongs to serving: {phases:?}"));
        }
        if let Some(grace) = at(self.report, Phase::Grace, self.record) {
            let took = self.draining - grace;
            if took.abs_diff(self.scenario.grace) > self.slack {
                self.problem(format!("grace of {:?} took {took:?}", self.scenario.grace));
            }
        }
        if !matches!(self.report.hook("hook").map(|hook| &hook.outcome), Some(HookOutcome::Finished)) {
            self.problem(format!("the hook has not finished: {:?}", self.report.hook("hook")));
        }
        let is_cut = self.report.entries.iter().any(|entry| matches!(entry.what, What::Cut(..)));
        let main_is_cut = self.report.main() == Some(&MainResult::Cut);
        let code = if is_cut || main_is_cut { 3 } else { 0 };
        if self.report.exit_code() != code {
            self.problem(format!("exit code {}, cut: {is_cut}, main cut: {main_is_cut}", self.report.exit_code()));
        }
        if is_cut && !self.was_skipped() && self.hooks + self.slack < self.draining + self.scenario.drain {
            self.problem("something was cut before the deadline of the drain");
        }
    }

    /// Whoever had connected was accepted before the listener closed, and it closed when the drain began.
    fn listener(&mut self) {
        let Some(closed) = self.record.listener_closed else {
            return self.problem("the listener was not closed");
        };
        // `main` can be cut before it serves.
        if self.was_skipped() || self.scenario.start + self.slack >= self.hooks {
            return;
        }
        if self.record.lost_in_backlog > 0 {
            self.problem(format!("{} connections were lost in the backlog", self.record.lost_in_backlog));
        }
        if closed > self.draining + self.slack && closed > self.scenario.start + self.slack {
            self.problem(format!("the listener was closed at {closed:?}, the drain began at {:?}", self.draining));
        }
        let accepted = self.record.connections.values().filter_map(|connection| connection.accepted).max();
        if accepted.is_some_and(|accepted| accepted > closed) {
            self.problem("a connection was accepted after the listener was closed");
        }
    }

    fn connection(&mut self, connection: &Connection) {
        self.tally.connections += u64::from(connection.accepted.is_some());
        self.tally.requests += connection.exchanges.len() as u64;
        let mut blocked = false;
        for (place, exchange) in connection.exchanges.iter().enumerate() {
            self.tally.answered += u64::from(exchange.completed.is_some());
            self.exchange(connection, exchange, blocked);
            let follows_head = connection.exchanges[place + 1..].iter().any(|next| next.has_head);
            if exchange.closes && follows_head {
                self.problem(format!("a response follows the last one, {}", exchange.number));
            }
            blocked |= exchange.closes || self.leaves_body_unread(exchange);
        }
        self.timeout(connection);
        self.end_of_connection(connection);
    }

    /// One request: answered, or why not. `blocked`: a response before it says that it is the last one, or hyper closes
    /// behind it because the request's body was not read.
    fn exchange(&mut self, connection: &Connection, exchange: &Exchange, blocked: bool) {
        let number = exchange.number;
        if exchange.calls > 1 {
            self.problem(format!("request {number} was handled {} times", exchange.calls));
        }
        let arrived = match connection.http2 {
            true => exchange.calls > 0,
            false => connection.arrived >= exchange.ends,
        };
        let was_in_flight = arrived && exchange.served.is_none_or(|served| served > self.draining);
        self.tally.in_flight += u64::from(was_in_flight);
        if exchange.completed.is_some() {
            self.tally.drained += u64::from(was_in_flight);
            return self.close_header(connection, exchange);
        }
        let must_be_whole = (arrived && !blocked) || exchange.has_head;
        if !must_be_whole || self.is_broken(connection) || self.is_left_by_client(connection) {
            return;
        }
        if self.was_open_at_the_end(connection) {
            return; // `cuts` counts it
        }
        if self.is_reset_by_further_bytes(connection, exchange) {
            self.tally.gaps += 1;
            return;
        }
        self.problem(format!("request {number} has no whole response: {exchange:?} of {}", shown(connection)));
    }

    /// `Connection: close` where it must be, and nowhere else.
    fn close_header(&mut self, connection: &Connection, exchange: &Exchange) {
        let Some((when, phase)) = exchange.responded else {
            return self.problem(format!("response {} was not made by the handler", exchange.number));
        };
        if connection.http2 {
            return;
        }
        let in_second_half = phase == Phase::Grace
            && at(self.report, Phase::Grace, self.record)
                .is_some_and(|grace| when >= grace + self.scenario.grace / 2 + Duration::from_millis(1));
        if (phase >= Phase::Draining || in_second_half) && !exchange.closes {
            self.problem(format!("response {} of phase {phase} does not say close", exchange.number));
        }
        if phase < Phase::Grace && exchange.closes {
            self.problem(format!("response {} of phase {phase} says close", exchange.number));
        }
    }

    /// A client that is in the middle of a request when the drain begins has the time of its timeout for the rest.
    fn timeout(&mut self, connection: &Connection) {
        let Some((last, before)) = connection.exchanges.split_last() else { return };
        let is_in_progress = (last.begins + 1..last.ends).contains(&connection.arrived) && last.responded.is_none();
        let follows_last_response = before.last().is_some_and(|before| {
            before.closes || self.leaves_body_unread(before) || before.completed.is_none_or(|time| time > last.began)
        });
        if !is_in_progress || follows_last_response || self.is_broken(connection) || self.is_left_by_client(connection)
        {
            return;
        }
        let timeout = self.scenario.limits.header.min(self.scenario.limits.body).min(self.scenario.drain / 2);
        if !self.was_open_at_the_end(connection) && connection.dropped.is_some_and(|at| at < last.began + timeout) {
            self.problem(format!("a timeout of {timeout:?} is early: {}", shown(connection)));
        }
    }

    /// A server closes a connection with a reason: idle ones when the drain begins, and with FIN.
    fn end_of_connection(&mut self, connection: &Connection) {
        let Some((_, ended)) = connection.ended else {
            if connection.accepted.is_some() && !self.is_broken(connection) {
                self.problem(format!("the client does not see the end of {}", shown(connection)));
            }
            return;
        };
        let is_idle = connection.is_settled() && !connection.half_closed && !connection.http2;
        let is_last = |exchange: &Exchange| exchange.closes || self.leaves_body_unread(exchange);
        if !is_idle || self.is_broken(connection) || connection.exchanges.iter().any(is_last) {
            return;
        }
        if connection.dropped.is_some_and(|dropped| dropped < self.draining) && ended == Ended::Eof {
            self.problem(format!("an idle connection was closed before the drain: {}", shown(connection)));
        }
        if ended == Ended::Reset && connection.accepted.is_some() {
            self.problem(format!("an idle connection was reset: {}", shown(connection)));
        }
    }

    /// Nothing is reported as cut that was answered, and everything that was cut is reported.
    fn cuts(&mut self) {
        let reported = self.reported_cuts();
        self.tally.runs += 1;
        self.tally.cut += reported as u64;
        self.tally.cut_runs += u64::from(reported > 0);
        let connections = self.record.connections.values();
        let open: Vec<_> = connections.filter(|connection| self.was_open_at_the_end(connection)).collect();
        let cut = open.iter().filter(|connection| self.has_lost_a_response(connection)).count();
        let may_be_cut = open.iter().filter(|connection| self.may_be_cut(connection)).count();
        if reported < cut {
            self.problem(format!("{cut} connections were cut, the report names {reported}"));
        }
        if reported > may_be_cut {
            let open: Vec<_> = open.into_iter().map(shown).collect();
            self.problem(format!(
                "the report names {reported} connections as cut, {may_be_cut} had something in flight:\n    {}",
                open.join("\n    ")
            ));
        }
    }

    fn has_lost_a_response(&self, connection: &Connection) -> bool {
        let mut blocked = false;
        let lost = connection.exchanges.iter().any(|exchange| {
            let arrived = !connection.http2 && connection.arrived >= exchange.ends;
            let lost = exchange.completed.is_none() && exchange.served.is_none() && arrived && !blocked;
            blocked |= exchange.closes || self.leaves_body_unread(exchange);
            lost
        });
        lost && !self.is_broken(connection) && !self.is_left_by_client(connection)
    }

    fn may_be_cut(&self, connection: &Connection) -> bool {
        let round_trips = *self.scenario.latency.end() * 4 + self.scenario.sockets.late * 4 + self.slack;
        let is_recent = |time: Option<Duration>| time.is_some_and(|time| time + self.slack >= self.hooks);
        let is_silent = connection.exchanges.is_empty() && self.hooks < self.draining + SILENT + SWEEPS;
        is_silent
            || !connection.is_settled()
            || self.has_trouble(connection)
            || connection.exchanges.iter().any(|exchange| is_recent(exchange.served))
            || connection.last_io + round_trips >= self.hooks
            || connection.http2 && self.hooks < self.draining + round_trips
            // A documented gap: the rest of a body that is read behind the response counts as the beginning of a head.
            || connection.exchanges.last().is_some_and(|last| self.leaves_body_unread(last))
    }

    /// The drain ends by its deadline, and soon after the last that happens in it.
    fn end_of_drain(&mut self) {
        let took = self.hooks - self.draining;
        if took > self.scenario.drain + self.slack {
            self.problem(format!("the drain of {:?} took {took:?}", self.scenario.drain));
        }
        if self.was_skipped() || self.reported_cuts() > 0 {
            return;
        }
        let times = self.record.connections.values().map(|connection| connection.last_io);
        let last = times.filter(|time| *time <= self.hooks).max().unwrap_or_default();
        let last = last.max(self.draining).max(self.scenario.start);
        let settled = self.record.connections.values().all(|connection| {
            (connection.is_settled() && !connection.http2 && !self.has_trouble(connection))
                || connection.dropped.is_some_and(|dropped| dropped < self.draining)
        });
        let limits = self.scenario.limits;
        let late = match settled {
            true => SILENT,
            false => limits.header.max(limits.body).min(self.scenario.drain / 2).max(SILENT),
        };
        if self.hooks > last + LINGER.max(late + SWEEPS) + if settled { Duration::ZERO } else { LINGER } + self.slack {
            self.problem(format!("the drain has ended at {:?}, the last activity was at {last:?}", self.hooks));
        }
    }

    /// Whether the server's end was open when the hooks began.
    fn was_open_at_the_end(&self, connection: &Connection) -> bool {
        connection.accepted.is_some_and(|accepted| accepted <= self.hooks)
            && connection.dropped.is_none_or(|dropped| dropped + self.slack >= self.hooks)
    }

    fn has_trouble(&self, connection: &Connection) -> bool {
        self.scenario.hosts[connection.host].trouble.is_some()
    }

    /// Whether the network has lost a message of it.
    fn is_broken(&self, connection: &Connection) -> bool {
        let trouble = self.scenario.hosts[connection.host].trouble.filter(|trouble| trouble.loses);
        trouble.is_some_and(|trouble| connection.ended.is_none_or(|(ended, _)| ended >= trouble.at))
    }

    /// Whether the client has closed it, or has half-closed it and hyper does not go on then.
    fn is_left_by_client(&self, connection: &Connection) -> bool {
        matches!(connection.ended, Some((_, Ended::ByClient)))
            || (connection.half_closed && !self.scenario.limits.half_close)
    }

    /// Whether hyper closes behind the response: the handler has not read the request's body.
    fn leaves_body_unread(&self, exchange: &Exchange) -> bool {
        let requests = self.scenario.hosts.iter().flat_map(|host| &host.clients).flat_map(|client| &client.requests);
        let body = requests.clone().find(|request| request.number == exchange.number).map(|request| request.body);
        !self.scenario.handling[exchange.number].reads_body && body.is_some_and(|body| body != Body::Empty)
    }

    /// A gap that the documentation names: the client has sent bytes while it had not read the response, and they have
    /// arrived at a connection that was closed already. For turmoil a FIN that arrives then is no better than bytes.
    fn is_reset_by_further_bytes(&self, connection: &Connection, exchange: &Exchange) -> bool {
        let latest = *self.scenario.latency.end() + self.slack;
        let sends_behind = connection.sent() > exchange.ends || connection.half_closed;
        matches!(connection.ended, Some((_, Ended::Reset)))
            && exchange.served.is_some_and(|served| connection.last_write + latest >= served)
            && (sends_behind || self.leaves_body_unread(exchange))
    }
}

fn shown(connection: &Connection) -> String {
    let Connection { accepted, arrived, last_io, dropped, ended, half_closed, http2, .. } = connection;
    format!(
        "{{ http2: {http2}, sent: {}, arrived: {arrived}, half-closed: {half_closed}, accepted: {accepted:?}, \
         last read or write: {last_io:?}, dropped: {dropped:?}, ended: {ended:?}, exchanges: {:?} }}",
        connection.sent(),
        connection.exchanges
    )
}
