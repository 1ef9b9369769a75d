//! What must hold after every run:
//!
//! - [`lifecycle`](Check::lifecycle): the phases come in order and last as long as the plan says, the hook has finished,
//!   and the exit code is that of the documentation;
//! - [`listener`](Check::listener): each connection that was established is accepted, and the listener closes with the
//!   beginning of the drain;
//! - [`exchange`](Check::exchange): each request is handled once at most, and one that has arrived gets its whole
//!   response, or the report names its connection as cut;
//! - [`close_header`](Check::close_header): `Connection: close` is where it must be, and nowhere else;
//! - [`timeout`](Check::timeout): no timeout is early;
//! - [`end_of_connection`](Check::end_of_connection): an idle connection ends in the drain, and with FIN;
//! - [`cuts`](Check::cuts): the report names each connection that was cut, and no other;
//! - [`end_of_drain`](Check::end_of_drain): the drain ends by its deadline, and soon after the last activity.

use crate::{
    facts::{Facts, SILENT, SWEEPS, has_arrived},
    record::{Connection, Ended, Exchange, Record},
    scenario::Scenario,
    tally::Tally,
};
use graceful::{HookOutcome, MainResult, Phase, What};
use std::time::Duration;

/// How long a connection may linger behind its last response.
const LINGER: Duration = Duration::from_secs(1);

/// Checks a run.
///
/// # Errors
/// Every invariant that does not hold.
pub fn check(scenario: &Scenario, record: &Record) -> Result<Tally, Vec<String>> {
    let Some(report) = &record.report else { return Err(vec!["the lifecycle has no report".to_owned()]) };
    let Some(facts) = Facts::of(scenario, record, report) else {
        let phases: Vec<_> = report.phases().collect();
        return match scenario.stop.skip_after.is_some() && phases.is_sorted() && phases.ends_with(&[Phase::Stopped]) {
            true => Ok(Tally { runs: 1, ..Tally::default() }),
            false => Err(vec![format!("the phases are {phases:?}")]),
        };
    };
    let mut check = Check { facts, problems: Vec::new(), tally: Tally { runs: 1, ..Tally::default() } };
    check.lifecycle();
    check.listener();
    for connection in record.connections.values() {
        check.connection(connection);
    }
    check.cuts();
    check.end_of_drain();
    match check.problems.is_empty() {
        true => Ok(check.tally),
        false => Err(check.problems),
    }
}

/// A check of a run, with what it has found.
struct Check<'a> {
    facts: Facts<'a>,
    problems: Vec<String>,
    tally: Tally,
}

impl Check<'_> {
    fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    /// The phases in order, each as long as the plan says, `main`, the hook and the exit code.
    fn lifecycle(&mut self) {
        let phases: Vec<_> = self.facts.report.phases().collect();
        if !phases.windows(2).all(|pair| pair[0] < pair[1]) || !phases.ends_with(&[Phase::Hooks, Phase::Stopped]) {
            self.problem(format!("the phases are {phases:?}"));
        }
        if phases.contains(&Phase::Serving) != phases.contains(&Phase::Grace) {
            self.problem(format!("grace belongs to serving: {phases:?}"));
        }
        if let Some(grace) = self.facts.grace {
            let took = self.facts.draining - grace;
            if took.abs_diff(self.facts.scenario.grace) > self.facts.slack {
                self.problem(format!("grace of {:?} took {took:?}", self.facts.scenario.grace));
            }
        }
        if !matches!(self.facts.report.hook("hook").map(|hook| &hook.outcome), Some(HookOutcome::Finished)) {
            self.problem(format!("the hook has not finished: {:?}", self.facts.report.hook("hook")));
        }
        let is_cut = self.facts.report.entries.iter().any(|entry| matches!(entry.what, What::Cut(..)));
        let main_is_cut = self.facts.report.main() == Some(&MainResult::Cut);
        let code = if is_cut || main_is_cut { 3 } else { 0 };
        if self.facts.report.exit_code() != code {
            self.problem(format!(
                "exit code {}, cut: {is_cut}, main cut: {main_is_cut}",
                self.facts.report.exit_code()
            ));
        }
        if is_cut
            && !self.facts.was_skipped()
            && self.facts.hooks + self.facts.slack < self.facts.draining + self.facts.scenario.drain
        {
            self.problem("something was cut before the deadline of the drain");
        }
    }

    /// Whoever had connected was accepted before the listener closed, and it closed when the drain began.
    fn listener(&mut self) {
        let Some(closed) = self.facts.record.listener_closed else {
            return self.problem("the listener was not closed");
        };
        // `main` can be cut before it serves.
        if self.facts.was_skipped() || self.facts.scenario.start + self.facts.slack >= self.facts.hooks {
            return;
        }
        if self.facts.record.lost_in_backlog > 0 {
            self.problem(format!("{} connections were lost in the backlog", self.facts.record.lost_in_backlog));
        }
        if closed > self.facts.draining + self.facts.slack && closed > self.facts.scenario.start + self.facts.slack {
            self.problem(format!(
                "the listener was closed at {closed:?}, the drain began at {:?}",
                self.facts.draining
            ));
        }
        let accepted = self.facts.record.connections.values().filter_map(|connection| connection.accepted).max();
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
            blocked |= exchange.closes || self.facts.leaves_body_unread(exchange);
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
        let arrived = has_arrived(connection, exchange);
        let was_in_flight = arrived && exchange.served.is_none_or(|served| served > self.facts.draining);
        self.tally.in_flight += u64::from(was_in_flight);
        if exchange.completed.is_some() {
            self.tally.drained += u64::from(was_in_flight);
            return self.close_header(connection, exchange);
        }
        if self.facts.is_broken(connection) || self.facts.is_left_by_client(connection) {
            self.tally.left += u64::from(was_in_flight);
            return;
        }
        if !exchange.has_head && (!arrived || blocked) {
            self.tally.behind_close += u64::from(was_in_flight);
            return;
        }
        if self.facts.was_open_at_the_end(connection) {
            self.tally.cut_requests += u64::from(was_in_flight);
            return; // `cuts` looks for its connection in the report
        }
        if self.facts.is_reset_by_further_bytes(connection, exchange) {
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
            && self
                .facts
                .grace
                .is_some_and(|grace| when >= grace + self.facts.scenario.grace / 2 + Duration::from_millis(1));
        if (phase >= Phase::Draining || in_second_half) && !exchange.closes {
            self.problem(format!("response {} of phase {phase} does not say close", exchange.number));
        }
        if phase < Phase::Grace && exchange.closes {
            self.problem(format!("response {} of phase {phase} says close", exchange.number));
        }
    }

    /// A client from which the server has read a part of a request has the time of its timeout for the rest.
    fn timeout(&mut self, connection: &Connection) {
        let Some((last, before)) = connection.exchanges.split_last() else { return };
        let was_read = connection.last_io > last.began && connection.fin.is_none_or(|fin| fin > connection.last_io);
        let is_in_progress = was_read && last.responded.is_none();
        let follows_last_response = before.last().is_some_and(|before| {
            before.closes
                || self.facts.leaves_body_unread(before)
                || before.completed.is_none_or(|time| time > last.began)
        });
        if !is_in_progress
            || follows_last_response
            || self.facts.is_broken(connection)
            || self.facts.is_left_by_client(connection)
        {
            return;
        }
        let timeout =
            self.facts.scenario.limits.header.min(self.facts.scenario.limits.body).min(self.facts.scenario.drain / 2);
        if !self.facts.was_open_at_the_end(connection) && connection.dropped.is_some_and(|at| at < last.began + timeout)
        {
            self.problem(format!("a timeout of {timeout:?} is early: {}", shown(connection)));
        }
    }

    /// A server closes a connection with a reason: idle ones when the drain begins, and with FIN.
    fn end_of_connection(&mut self, connection: &Connection) {
        let Some((_, ended)) = connection.ended else {
            if connection.accepted.is_some() && !self.facts.is_broken(connection) {
                self.problem(format!("the client does not see the end of {}", shown(connection)));
            }
            return;
        };
        let is_idle = connection.is_settled() && !connection.half_closed && !connection.http2;
        let is_last = |exchange: &Exchange| exchange.closes || self.facts.leaves_body_unread(exchange);
        if !is_idle || self.facts.is_broken(connection) || connection.exchanges.iter().any(is_last) {
            return;
        }
        if connection.dropped.is_some_and(|dropped| dropped < self.facts.draining) && ended == Ended::Eof {
            self.problem(format!("an idle connection was closed before the drain: {}", shown(connection)));
        }
        if ended == Ended::Reset && connection.accepted.is_some() {
            self.problem(format!("an idle connection was reset: {}", shown(connection)));
        }
    }

    /// Nothing is reported as cut that was answered, and everything that was cut is reported.
    fn cuts(&mut self) {
        let reported = self.facts.reported_cuts();
        self.tally.cut += reported as u64;
        self.tally.cut_runs += u64::from(reported > 0);
        let connections = self.facts.record.connections.values();
        let open: Vec<_> = connections.filter(|connection| self.facts.was_open_at_the_end(connection)).collect();
        let cut = open.iter().filter(|connection| self.facts.has_lost_a_response(connection)).count();
        let may_be_cut = open.iter().filter(|connection| self.facts.may_be_cut(connection)).count();
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

    /// The drain ends by its deadline, and soon after the last that happens in it.
    fn end_of_drain(&mut self) {
        let took = self.facts.hooks - self.facts.draining;
        if took > self.facts.scenario.drain + self.facts.slack {
            self.problem(format!("the drain of {:?} took {took:?}", self.facts.scenario.drain));
        }
        if self.facts.was_skipped() || self.facts.reported_cuts() > 0 {
            return;
        }
        let times = self.facts.record.connections.values().map(|connection| connection.last_io);
        let last = times.filter(|time| *time <= self.facts.hooks).max().unwrap_or_default();
        let last = last.max(self.facts.draining).max(self.facts.scenario.start);
        let settled = self.facts.record.connections.values().all(|connection| {
            (connection.is_settled() && !connection.http2 && !self.facts.has_trouble(connection))
                || connection.dropped.is_some_and(|dropped| dropped < self.facts.draining)
        });
        let limits = self.facts.scenario.limits;
        let late = match settled {
            true => SILENT,
            false => limits.header.max(limits.body).min(self.facts.scenario.drain / 2).max(SILENT),
        };
        if self.facts.hooks
            > last + LINGER.max(late + SWEEPS) + if settled { Duration::ZERO } else { LINGER } + self.facts.slack
        {
            self.problem(format!("the drain has ended at {:?}, the last activity was at {last:?}", self.facts.hooks));
        }
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
