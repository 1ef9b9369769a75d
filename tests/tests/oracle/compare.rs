//! The comparison of `serve` with its oracle.
//!
//! `serve` runs first. Bare hyper runs then, and its handler adds `Connection: close` to exactly those responses in
//! which `serve` has said so during the shutdown. While the process serves and in grace, both runs are identical. In
//! the drain, `serve` also closes what is idle, so its requests are a prefix of bare hyper's.

use crate::{
    differences,
    driver::{End, Outcome},
    handler::{Replay, Said},
    heads::{Head, responses, without_dates},
    recording::{Seen, Stage},
    run::{Server, run},
    script::{Moment, Script},
    settings::Settings,
    transport::Transport,
};
use std::{
    fmt::{self, Debug},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

/// A script and the conditions under which it runs.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) script: Script,
    pub(crate) transport: Transport,
    pub(crate) settings: Settings,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, script: Script) -> Self {
        Self { name: name.into(), script, transport: Transport::Tcp, settings: Settings::default() }
    }

    pub(crate) fn over(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    pub(crate) fn with(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    pub(crate) fn run(&self, server: &Server) -> Outcome {
        run(&self.script, self.transport, self.settings, server)
    }
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The requests that the handlers have seen, or what they have read of them.
    Requests,
    /// A request that had arrived before the drain is not served.
    Missed,
    Responses,
    /// After which step the bytes arrive.
    Order,
    /// How the connection ends, or when.
    End,
    /// A response from half of grace on does not ask its client to reconnect.
    KeepsItsClient,
}

/// A difference, shown.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    text: String,
}

/// Bytes, shown as text, and not more of them than are read.
#[derive(PartialEq)]
struct Text<'b>(&'b [u8]);

impl Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 2000;
        let shown = &self.0[..self.0.len().min(SHOWN)];
        write!(f, "{} bytes: {}", self.0.len(), shown.escape_ascii())
    }
}

/// What `serve` and bare hyper make of a case.
pub(crate) struct Comparison<'c> {
    pub(crate) case: &'c Case,
    pub(crate) serve: Outcome,
    pub(crate) hyper: Outcome,
    heads: Vec<Head>,
}

/// Runs a case against both servers, and says how they differ.
pub(crate) fn check(case: &Case) -> Result<(), String> {
    let comparison = Comparison::of(case, false);
    let verdict = comparison.verdict();
    if verdict.is_err() && comparison.loses_its_last_response() {
        return Comparison::of(case, true).verdict();
    }
    verdict
}

impl<'c> Comparison<'c> {
    /// Whether the last response is `lost` is known to the caller: see [`replay`].
    fn of(case: &'c Case, lost: bool) -> Self {
        let mut serve = case.run(&Server::Serve);
        let heads = responses(&serve.bytes, &serve.seen, serve.end.is_some());
        let mut hyper = case.run(&Server::Hyper(replay(&case.script, &serve, &heads, lost)));
        serve.bytes = without_dates(&serve.bytes);
        hyper.bytes = without_dates(&hyper.bytes);
        Self { case, serve, hyper, heads }
    }

    /// Whether a connection has ended in a shutdown without a response to its last request.
    fn loses_its_last_response(&self) -> bool {
        let serve = &self.serve;
        serve.end.is_some() && self.case.script.moment().is_some() && self.heads.len() < serve.seen.len()
    }

    pub(crate) fn in_a_drain(&self) -> bool {
        self.case.script.moment() == Some(Moment::Drain)
    }

    fn verdict(&self) -> Result<(), String> {
        let mut problems = if self.in_a_drain() { self.in_the_drain() } else { self.before_the_drain() };
        problems.extend(self.keeps_its_client());
        problems.retain(|problem| !differences::allow(self, problem));
        if problems.is_empty() { Ok(()) } else { Err(self.show(&problems)) }
    }

    /// While the process serves and in grace: nothing differs.
    fn before_the_drain(&self) -> Vec<Problem> {
        let (serve, hyper) = (&self.serve, &self.hyper);
        let problems = [
            differ(Kind::Requests, &serve.seen, &hyper.seen),
            differ(Kind::Responses, &Text(&serve.bytes), &Text(&hyper.bytes)),
            differ(Kind::Order, &serve.marks, &hyper.marks),
            differ(Kind::End, &serve.end, &hyper.end),
        ];
        problems.into_iter().flatten().collect()
    }

    /// In the drain: a prefix of the requests, whole responses, every request that had arrived, and then the end.
    fn in_the_drain(&self) -> Vec<Problem> {
        let (serve, hyper) = (&self.serve, &self.hyper);
        let served = serve.seen.len();
        let common = served.min(hyper.seen.len());
        let more = differ(Kind::Requests, &served.saturating_sub(common), &0); // none that bare hyper does not execute
        let missed = (served..hyper.seen.len()).find(|index| self.arrived_before_the_drain(*index));
        let problems = [
            more,
            differ(Kind::Requests, &serve.seen[..common], &hyper.seen[..common]),
            differ(Kind::Missed, &None, &missed),
            self.whole_responses(common),
            self.end_in_the_drain(),
        ];
        problems.into_iter().flatten().collect()
    }

    /// Every response of bare hyper to the requests that `serve` has executed.
    fn whole_responses(&self, requests: usize) -> Option<Problem> {
        let (serve, hyper) = (&self.serve, &self.hyper);
        let heads = responses(&hyper.bytes, &hyper.seen, hyper.end.is_some());
        let whole = match requests {
            0 => Some(0),
            _ => heads.get(requests - 1).and_then(|head| head.end),
        };
        let whole = whole.filter(|_| serve.end.is_some()).unwrap_or(hyper.bytes.len());
        if serve.bytes == hyper.bytes {
            return None;
        }
        differ(Kind::Responses, &Text(&serve.bytes), &Text(&hyper.bytes[..whole]))
    }

    /// Whether a request that bare hyper has executed had arrived, at least in part, before the drain began.
    fn arrived_before_the_drain(&self, index: usize) -> bool {
        let script = &self.case.script;
        let drain = script.entry(|moment| moment == Moment::Drain);
        drain.is_some_and(|drain| script.start_of(index) < script.sent_before(drain))
    }

    /// Whether a request had arrived in part before the drain began, and its first bytes before the response to the
    /// request before was complete.
    pub(crate) fn was_half_pipelined(&self, index: usize) -> bool {
        let (script, start) = (&self.case.script, self.case.script.start_of(index));
        let drain = script.entry(|moment| moment == Moment::Drain).unwrap_or(script.steps.len());
        let in_part = script.ends.get(index).is_some_and(|end| *end > script.sent_before(drain));
        let first = (0..script.steps.len()).rev().find(|step| script.sent_before(*step) <= start).unwrap_or(0);
        let received = first.checked_sub(1).map_or(0, |before| self.serve.marks[before]);
        let before = index.checked_sub(1).and_then(|before| self.heads.get(before));
        let idle =
            script.sent_before(first) == start && before.and_then(|head| head.end).is_some_and(|end| end <= received);
        in_part && index > 0 && !idle
    }

    /// In the drain, a connection on which everything is finished is closed; it is never reset where hyper's is not.
    fn end_in_the_drain(&self) -> Option<Problem> {
        let (serve, script) = (&self.serve, &self.case.script);
        let (ended, expected) = (serve.end.map(|(end, _)| end), self.hyper.end.map(|(end, _)| end));
        if expected.is_some() && ended == Some(End::Fin) {
            return None; // in the drain already, perhaps, or more gently
        }
        if expected.is_some() {
            return differ(Kind::End, &ended, &expected);
        }
        let whole = self.heads.len() == serve.seen.len() && self.heads.iter().all(|head| head.end.is_some());
        let responded = serve.seen.iter().all(|seen| seen.stage == Stage::Responded && seen.tunnel_end != "open");
        let sent = script.sent_before(script.steps.len());
        let began = script.entry(|moment| moment == Moment::Drain).is_some_and(|drain| script.sent_before(drain) > 0);
        let idle = began && whole && responded && script.ends.last() == Some(&sent);
        // What is read of a body after its response can be half a head, for all that `serve` knows.
        let kept = serve.ends_late && serve.seen.iter().any(Seen::leaves_a_body);
        if idle && !kept { differ(Kind::End, &ended, &Some(End::Fin)) } else { None }
    }

    /// From half of grace on, every response asks its client to reconnect, but for those that hand the connection over.
    fn keeps_its_client(&self) -> Option<Problem> {
        let late = self.case.script.entry(|moment| !matches!(moment, Moment::Grace(..50)))?;
        let responded = self.heads.iter().zip(&self.serve.responded);
        let mut keeps = responded.filter(|(head, at)| at.is_some_and(|at| at > late) && !head.asks_to_close());
        let text = |(head, _): (&Head, _)| format!("by the response at {}", head.start);
        keeps.next().map(|kept| Problem { kind: Kind::KeepsItsClient, text: text(kept) })
    }

    fn show(&self, problems: &[Problem]) -> String {
        let (mut text, case) = (format!("{}: {:?}", self.case.name, problems[0].kind), self.case);
        problems[1..].iter().for_each(|problem| text += &format!(", {:?}", problem.kind));
        text += &format!("\n over {:?}, {:?}\n{}", case.transport, case.settings, case.script);
        problems.iter().for_each(|problem| text += &format!(" {:?}: {}\n", problem.kind, problem.text));
        for (name, outcome) in [("serve", &self.serve), ("hyper", &self.hyper)] {
            text += &format!(" {name}: end {:?}, marks {:?}\n", outcome.end, outcome.marks);
            text += &format!("  {:?}\n", Text(&outcome.bytes));
            outcome.seen.iter().for_each(|seen| text += &format!("  {seen:?}\n"));
        }
        text
    }
}

/// What the responses of bare hyper are to say: what those of `serve` have said since its shutdown began.
///
/// A `lost` response, which is the last and does not arrive, has said close: with `pipeline_flush`, hyper loses a response
/// that closes if there are pipelined bytes behind its request, and must be seen to lose the same one.
fn replay(script: &Script, serve: &Outcome, heads: &[Head], lost: bool) -> Replay {
    let shutdown = script.entry(|_| true).unwrap_or(usize::MAX);
    let said = heads.iter().zip(&serve.seen).zip(&serve.responded).map(|((head, seen), at)| {
        let in_the_shutdown = at.is_some_and(|at| at >= shutdown) && head.status != 101;
        if in_the_shutdown { head.said(seen.line.contains("/close")) } else { Said::default() }
    });
    let mut said: Vec<_> = said.collect();
    if let Some(last) = serve.seen.last().filter(|_| lost) {
        said.resize(serve.seen.len(), Said::default());
        said[serve.seen.len() - 1] = Said { close: true, version_10: last.line.ends_with("HTTP/1.0") };
    }
    Replay(said)
}

fn differ<T: PartialEq + Debug + ?Sized>(kind: Kind, serve: &T, hyper: &T) -> Option<Problem> {
    (serve != hyper).then(|| Problem { kind, text: format!("\n  serve {serve:?}\n  hyper {hyper:?}") })
}

/// How many failed cases are shown in full.
const SHOWN: usize = 4;

/// The environment variable that picks the cases whose names contain it, for the cross product.
const ONLY: &str = "GRACEFUL_ORACLE_ONLY";

/// Checks all cases, on every processor, and panics with those that fail.
pub(crate) fn check_all(cases: impl IntoIterator<Item = Case>) {
    let only = std::env::var(ONLY).unwrap_or_default();
    let cases: Vec<_> = cases.into_iter().filter(|case| case.name.contains(&only)).collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Relaxed)) {
            if let Err(problem) = check(case) {
                failed.lock().unwrap().push(problem);
            }
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(2, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    let failed = failed.into_inner().unwrap();
    let shown: Vec<_> = failed.iter().take(SHOWN).map(String::as_str).collect();
    let names: Vec<_> = failed.iter().filter_map(|problem| problem.lines().next()).collect();
    let (failures, all) = (failed.len(), cases.len());
    assert!(failed.is_empty(), "{failures} of {all} fail:\n{}\n\n{}", names.join("\n"), shown.join("\n"));
}
