//! The comparison of `serve` with its oracle.
//!
//! `serve` runs first. Bare hyper runs then, and its handler adds `Connection: close` to exactly those responses in
//! which `serve` has said so during the shutdown. While the process serves and in grace, both runs are identical. In
//! the drain, `serve` also closes what is idle, so its requests are a prefix of bare hyper's.

use crate::{
    differences,
    handler::{Replay, Said},
    heads::{Head, responses, without_dates},
    recording::{Seen, Stage},
    run::{End, Outcome, Server, run},
    script::{Moment, Script},
    settings::Settings,
    transport::Transport,
};
use std::{
    fmt::Write,
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

/// What `serve` and bare hyper make of a case.
pub(crate) struct Comparison<'c> {
    pub(crate) case: &'c Case,
    pub(crate) serve: Outcome,
    pub(crate) hyper: Outcome,
    heads: Vec<Head>,
}

/// Runs a case against both servers, and says how they differ.
pub(crate) fn check(case: &Case) -> Result<(), String> {
    Comparison::of(case).verdict()
}

impl<'c> Comparison<'c> {
    pub(crate) fn of(case: &'c Case) -> Self {
        let mut serve = case.run(&Server::Serve);
        let heads = responses(&serve.bytes, &serve.seen, serve.end.is_some());
        let from = start_of(&case.script, &serve, |_| true);
        let said = heads.iter().map(|head| if head.start >= from { head.said } else { Said::default() });
        let replay = Replay(said.collect());
        let mut hyper = case.run(&Server::Hyper(replay));
        serve.bytes = without_dates(&serve.bytes);
        hyper.bytes = without_dates(&hyper.bytes);
        Self { case, serve, hyper, heads }
    }

    fn verdict(&self) -> Result<(), String> {
        let rules = match self.case.script.moment() {
            Some(Moment::Drain) => self.drain().and_then(|()| self.closes()),
            _ => self.identical(),
        };
        match rules.and_then(|()| self.says_close()) {
            Err(problem) if !differences::allow(self, &problem) => Err(self.show(&problem)),
            _ => Ok(()),
        }
    }

    /// While the process serves and in grace: nothing differs.
    fn identical(&self) -> Result<(), String> {
        let (serve, hyper) = (&self.serve, &self.hyper);
        same("requests", &serve.seen, &hyper.seen)?;
        same("response bytes", &serve.bytes.escape_ascii().to_string(), &hyper.bytes.escape_ascii().to_string())?;
        same("bytes received after each step", &serve.marks, &hyper.marks)?;
        same("end of the connection", &serve.end, &hyper.end)
    }

    /// In the drain: a prefix of the requests, whole responses, and every request that had arrived.
    fn drain(&self) -> Result<(), String> {
        let (serve, hyper) = (&self.serve, &self.hyper);
        let served = serve.seen.len();
        if served > hyper.seen.len() {
            return Err("requests are executed that bare hyper does not execute".to_owned());
        }
        same("requests", &serve.seen[..], &hyper.seen[..served])?;
        if let Some(missed) = (served..hyper.seen.len()).find(|index| self.arrived_before_the_drain(*index)) {
            return Err(format!("request {missed} had arrived before the drain and is not served"));
        }
        if serve.bytes == hyper.bytes {
            return Ok(());
        }
        let heads = responses(&hyper.bytes, &hyper.seen, hyper.end.is_some());
        let whole = match served {
            0 => Some(0),
            _ => heads.get(served - 1).and_then(|head| head.end),
        };
        match whole {
            Some(whole) if serve.end.is_some() && serve.bytes == hyper.bytes[..whole] => Ok(()),
            _ => Err("response bytes are no whole responses of bare hyper".to_owned()),
        }
    }

    /// Whether a request that bare hyper has executed had arrived, at least in part, before the drain began.
    fn arrived_before_the_drain(&self, index: usize) -> bool {
        let script = &self.case.script;
        let Some(drain) = script.entry(|moment| moment == Moment::Drain) else { return false };
        let sent = script.sent_before(drain);
        let begins = index.checked_sub(1).and_then(|before| script.ends.get(before)).copied().unwrap_or(0);
        let Some(ends) = script.ends.get(index) else { return false };
        let alone = (0..script.steps.len()).any(|step| script.sent_before(step) == begins);
        *ends <= sent || (begins < sent && alone)
    }

    /// In the drain, a connection on which everything is finished is closed, and never reset.
    fn closes(&self) -> Result<(), String> {
        let (serve, script) = (&self.serve, &self.case.script);
        let ended = serve.end.map(|(end, _)| end);
        if let Some((end, _)) = self.hyper.end {
            return same("end of the connection", &ended, &Some(end));
        }
        let whole = self.heads.len() == serve.seen.len() && self.heads.iter().all(|head| head.end.is_some());
        let responded = serve.seen.iter().all(|seen| seen.stage == Stage::Responded && seen.tunnel_end != "open");
        let sent = script.sent_before(script.steps.len());
        let began = script.entry(|moment| moment == Moment::Drain).is_some_and(|drain| script.sent_before(drain) > 0);
        if began && whole && responded && script.ends.last() == Some(&sent) {
            same("end of the idle connection", &ended, &Some(End::Fin))?;
        }
        Ok(())
    }

    /// From half of grace on, every response asks its client to reconnect, but for those that hand the connection over.
    fn says_close(&self) -> Result<(), String> {
        let late = |moment| !matches!(moment, Moment::Grace(..50));
        let from = start_of(&self.case.script, &self.serve, late);
        for head in &self.heads {
            if head.status == 101 && head.said.close {
                return Err("a 101 says close".to_owned());
            }
            if head.start >= from && !head.asks_to_close() {
                return Err(format!("the response at {} does not ask its client to reconnect", head.start));
            }
        }
        Ok(())
    }

    fn show(&self, problem: &str) -> String {
        let (mut text, case) = (String::new(), self.case);
        let _ = writeln!(text, "{}: {problem}", case.name);
        let _ = write!(text, " over {:?}, {:?}\n{}", case.transport, case.settings, case.script);
        for (name, outcome) in [("serve", &self.serve), ("hyper", &self.hyper)] {
            let _ = writeln!(text, " {name}: end {:?}, marks {:?}", outcome.end, outcome.marks);
            let _ = writeln!(text, "  {}", outcome.bytes.escape_ascii());
            outcome.seen.iter().for_each(|seen| text += &format!("  {}\n", show(seen)));
        }
        text
    }
}

fn show(seen: &Seen) -> String {
    let Seen { line, body, body_end, stage, tunnel_end, .. } = seen;
    format!("{line} {stage:?}, body {body_end:?} `{}` {tunnel_end}", body.escape_ascii())
}

/// How many bytes the client had received before the script entered a moment that fits; all of them if it never does.
fn start_of(script: &Script, outcome: &Outcome, fits: impl Fn(Moment) -> bool) -> usize {
    match script.entry(fits) {
        Some(0) => 0,
        Some(step) => outcome.marks[step - 1],
        None => usize::MAX,
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, serve: &T, hyper: &T) -> Result<(), String> {
    if serve == hyper { Ok(()) } else { Err(format!("{what} differ:\n serve {serve:?}\n hyper {hyper:?}")) }
}

/// How many failed cases are shown in full.
const SHOWN: usize = 4;

/// Checks all cases, on every processor, and panics with those that fail.
pub(crate) fn check_all(cases: impl IntoIterator<Item = Case>) {
    let cases: Vec<_> = cases.into_iter().collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Relaxed)) {
            if let Err(problem) = check(case) {
                failed.lock().unwrap().push((case.name.clone(), problem));
            }
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(2, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    let failed = failed.into_inner().unwrap();
    let shown: Vec<_> = failed.iter().take(SHOWN).map(|(_, problem)| problem.as_str()).collect();
    let names: Vec<_> = failed.iter().map(|(name, _)| name.as_str()).collect();
    let (failures, all) = (failed.len(), cases.len());
    assert!(failed.is_empty(), "{failures} of {all} fail: {}\n\n{}", names.join("; "), shown.join("\n"));
}
