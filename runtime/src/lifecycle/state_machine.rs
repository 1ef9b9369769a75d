//! Requests become events, and events become phases. Here a SIGTERM begins the shutdown:
//! `Request::Signal` → [`apply`](StateMachine::apply) → `Event::Stop` → [`advance`](StateMachine::advance) →
//! `Phase::Grace`.

use super::{deadlines, phase_log::Step, transition::Event};
use crate::{
    cause::{Cause, Signal},
    checks::{descriptor::Check, runner},
    context::Context,
    drain::tracker::SERVER,
    os::process::LastReport,
    phase::Phase,
    report::{
        outcome::MainResult,
        summary::Report,
        termination_log,
        timeline::{Level, What},
    },
    shared::{Request, Shared},
};
use graceful_plan::Ready;
use std::sync::Arc;
use tokio::time::Instant;

/// The phase of a process, and everything that decides the next one.
pub(crate) struct StateMachine<'a> {
    pub(super) shared: Arc<Shared>,
    pub(super) context: Context,
    pub(super) checks: &'a [&'static Check],
    pub(super) phase: Phase,
    pub(super) cause: Option<Cause>,
    pub(super) main_ended: bool,
    /// How many SIGINTs have arrived: the second skips grace and drain, the third ends the process.
    interrupts: u8,
    /// How many signals have arrived during the shutdown without an effect.
    ignored_signals: u32,
    /// The signal that ends the process at once.
    pub(super) forced_by: Option<Signal>,
    pub(super) end_of_drain: Instant,
    /// How much work was in flight when the drain began.
    pub(super) in_flight_at_drain: usize,
    /// What was still in flight when the hooks began.
    pub(super) unfinished: Vec<(String, usize)>,
}

impl<'a> StateMachine<'a> {
    pub(super) fn new(context: Context, checks: &'a [&'static Check]) -> Self {
        Self {
            shared: context.0.clone(),
            context,
            checks,
            phase: Phase::Starting,
            cause: None,
            main_ended: false,
            interrupts: 0,
            ignored_signals: 0,
            forced_by: None,
            end_of_drain: Instant::now(),
            in_flight_at_drain: 0,
            unfinished: Vec::new(),
        }
    }

    pub(super) fn apply(&mut self, request: Request) {
        match request {
            Request::Ready => self.ready(),
            Request::Stop(cause) => self.stop(cause),
            Request::Signal(Signal::Interrupt) => {
                self.interrupts += 1;
                match self.interrupts {
                    1 => self.stop(Cause::Signal(Signal::Interrupt)),
                    2 => self.advance(Event::Skip),
                    _ => self.forced_by = Some(Signal::Interrupt),
                }
            }
            Request::Signal(signal) => self.stop(Cause::Signal(signal)),
            Request::Main(result) => self.main_ended(result),
        }
    }

    /// Ready, unless a check takes a state that was not provided: such a check could never pass.
    fn ready(&mut self) {
        if self.phase > Phase::Starting {
            return;
        }
        let missing = match self.shared.plan.ready {
            Ready::OnServe => runner::without_state(&self.context, self.checks),
            // Ready before the first line of `main`: its checks wait for the states that `main` will provide.
            Ready::OnStart => Vec::new(),
        };
        if missing.is_empty() {
            return self.advance(Event::Ready);
        }
        for text in &missing {
            self.shared.recorder.note(Level::Error, text.clone());
        }
        self.stop(Cause::Refused(missing.join("; ")));
    }

    fn stop(&mut self, cause: Cause) {
        match &self.cause {
            None => {
                self.cause = Some(cause);
                self.advance(Event::Stop);
            }
            Some(_) if !matches!(cause, Cause::Signal(_)) => {}
            Some(first) => {
                self.ignored_signals = self.ignored_signals.saturating_add(1);
                if self.ignored_signals == 1 {
                    let note = format!("{cause} during the shutdown after {first}: it goes on as it is");
                    self.shared.recorder.note(Level::Info, note);
                }
            }
        }
    }

    /// Records how many signals had no effect; the first of them has its own entry.
    fn note_ignored_signals(&self) {
        if self.ignored_signals > 1 {
            let note = format!("{} signals arrived during the shutdown and changed nothing", self.ignored_signals);
            self.shared.recorder.note(Level::Info, note);
        }
    }

    fn main_ended(&mut self, result: MainResult) {
        if std::mem::replace(&mut self.main_ended, true) {
            return;
        }
        let level = match result {
            MainResult::Returned(0) => Level::Info,
            _ => Level::Error,
        };
        self.shared.tracker.main_ended();
        self.cause.get_or_insert(Cause::MainReturned);
        if !self.phase.is_terminating() {
            // So that the timeline of the shutdown begins with the result of `main`.
            self.start_clock();
        }
        self.shared.recorder.record(level, What::Main(result));
        self.advance(Event::MainReturned);
    }

    /// Starts the clock of the shutdown, unless it runs already, and arms the last resort with it.
    fn start_clock(&self) {
        let Some(window) = deadlines::start_clock(&self.shared) else { return };
        let Some(last_resort) = self.shared.last_resort.get() else { return };
        let (recorder, cause) = (self.shared.recorder.clone(), self.cause.clone());
        last_resort.arm(window.deadline - window.began, self.shared.plan.margin, move || {
            // The control thread writes the report of a process that has stopped, or has done so.
            let has_stopped =
                recorder.entries().iter().any(|entry| matches!(entry.what, What::Phase(Phase::Stopped, _)));
            if !has_stopped {
                recorder.note(Level::Error, "the process did not end by its deadline and was ended by the last resort");
            }
            let began = window.began - recorder.started();
            let report = Report { entries: recorder.entries(), cause, began, forced_by: None };
            let message = (!has_stopped).then(|| format!("graceful: {}", report.summary(termination_log::LIMIT)));
            LastReport { exit_code: report.exit_code(), message }
        });
    }

    pub(super) fn advance(&mut self, event: Event) {
        let (from, to) = (self.phase, self.phase.after(event));
        if to == from {
            return;
        }
        if to.is_terminating() && !from.is_terminating() {
            self.start_clock();
        }
        if to == Phase::Draining {
            self.in_flight_at_drain = work(&self.shared.tracker.remaining());
            self.shared.tracker.begin_drain();
            self.end_of_drain = deadlines::end_of_drain(&self.shared);
        }
        if to == Phase::Hooks {
            // Before `enter`, because connections close themselves as soon as the phase is visible.
            self.unfinished = self.shared.tracker.close();
        }
        if to == Phase::Stopped {
            self.note_ignored_signals();
        }
        self.phase = to;
        self.shared.enter(to);
        let step = Step { from, event, to, cause: self.cause.as_ref(), main_ended: self.main_ended };
        self.shared.recorder.record(Level::Info, What::Phase(to, step.message(&self.shared)));
    }
}

/// How much of what is in flight is work: a server only waits for its own connections.
pub(super) fn work(in_flight: &[(String, usize)]) -> usize {
    in_flight.iter().filter(|(name, _)| !name.starts_with(SERVER)).map(|(_, count)| count).sum()
}
