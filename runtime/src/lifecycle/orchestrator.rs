//! The one orchestrator: requests and deadlines in, phases and a report out.

use crate::{
    cause::{Cause, Signal},
    checks::descriptor::Check,
    checks::runner,
    context::{Context, Request, Shared, Window},
    drain::tracker::{MAIN, SERVER},
    hooks::sequence,
    phase::{Event, Phase},
    report::summary::{Level, MainResult, Report, What},
};
use graceful_plan::{Ready, Unready, duration::Pretty};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, sleep_until, timeout},
};

/// How long a process may stay unready before the log says how to become ready.
const READY_REMINDER: Duration = Duration::from_secs(10);
/// How many names of what is in flight stand in one line.
const NAMES: usize = 20;
/// How long what was cut at the drain deadline gets to give way before the hooks begin.
const GIVE_WAY: Duration = Duration::from_millis(100);

/// Leads the process through its phases until everything is over.
pub(crate) async fn run(
    context: Context,
    checks: &[&'static Check],
    requests: &mut UnboundedReceiver<Request>,
) -> Report {
    runner::start(&context, checks);
    let mut lifecycle = Lifecycle {
        shared: context.0.clone(),
        context,
        checks,
        phase: Phase::Starting,
        cause: None,
        main_ended: false,
        interrupts: 0,
        forced_by: None,
        drain_over: Instant::now(),
        in_flight: 0,
        left: Vec::new(),
    };
    lifecycle.until_the_hooks(requests).await;
    if lifecycle.forced_by.is_none() {
        lifecycle.cut_what_is_left(requests).await;
        lifecycle.hooks(requests).await;
    }
    lifecycle.report()
}

struct Lifecycle<'a> {
    shared: Arc<Shared>,
    context: Context,
    checks: &'a [&'static Check],
    phase: Phase,
    cause: Option<Cause>,
    main_ended: bool,
    /// How many SIGINTs have come: the second skips ahead, the third ends the process.
    interrupts: u8,
    forced_by: Option<Signal>,
    drain_over: Instant,
    /// What was in flight when the drain began.
    in_flight: usize,
    /// What was still in flight when the hooks began.
    left: Vec<(String, usize)>,
}

impl Lifecycle<'_> {
    async fn until_the_hooks(&mut self, requests: &mut UnboundedReceiver<Request>) {
        let shared = self.shared.clone();
        let mut reminder = Some(shared.recorder.started() + READY_REMINDER);
        while self.phase < Phase::Hooks && self.forced_by.is_none() {
            // The clock of this phase, and what it means when it runs out.
            let (until, event) = match self.phase {
                Phase::Grace => (Some(self.grace_over()), Some(Event::GraceOver)),
                Phase::Draining => (Some(self.drain_over), Some(Event::DrainOver)),
                Phase::Starting | Phase::Serving => (reminder, None),
                _ => (None, None),
            };
            let waiting_for_empty = self.phase == Phase::Draining && self.main_ended;
            tokio::select! {
                biased;
                Some(request) = requests.recv() => self.apply(request),
                () = shared.tracker.emptied(), if waiting_for_empty => self.step(Event::Emptied),
                () = at(until) => match event {
                    Some(Event::GraceOver) if self.grace_over() > Instant::now() => {} // traffic has come meanwhile
                    Some(event) => self.step(event),
                    None => {
                        reminder = None;
                        self.remind();
                    }
                },
            }
        }
    }

    /// Says once what a process that has run for a while still misses.
    fn remind(&self) {
        let note = |text| self.shared.recorder.note(Level::Warn, text);
        match (self.phase, self.shared.plan.ready) {
            (Phase::Starting, Ready::OnServe) => note(format!(
                "not ready after {}: /readyz answers 503 until main calls `graceful::serve(..)` or `ctx.ready()`",
                Pretty(READY_REMINDER)
            )),
            (_, Ready::OnStart) => {
                runner::without_state(&self.context, self.checks).into_iter().for_each(note);
            }
            _ => {}
        }
    }

    fn apply(&mut self, request: Request) {
        match request {
            Request::Ready => self.ready(),
            Request::Stop(cause) => self.stop(cause),
            Request::Signal(Signal::Interrupt) => {
                self.interrupts += 1;
                match self.interrupts {
                    1 => self.stop(Cause::Signal(Signal::Interrupt)),
                    2 => self.step(Event::Skip),
                    _ => self.forced_by = Some(Signal::Interrupt),
                }
            }
            Request::Signal(signal) => self.stop(Cause::Signal(signal)),
            Request::Main(result) => self.main_ended(result),
        }
    }

    /// Ready, unless a check asks for what nobody has provided: such a process would never be ready, or never dead.
    fn ready(&mut self) {
        if self.phase > Phase::Starting {
            return;
        }
        let missing = match self.shared.plan.ready {
            Ready::OnServe => runner::without_state(&self.context, self.checks),
            // It was ready before its first line ran: its checks wait for what it will provide.
            Ready::OnStart => Vec::new(),
        };
        if missing.is_empty() {
            return self.step(Event::Ready);
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
                self.step(Event::Stop);
            }
            Some(_) if !matches!(cause, Cause::Signal(_)) => {}
            Some(first) => {
                let note = format!("{cause} during the shutdown after {first}: it goes on as it is");
                self.shared.recorder.note(Level::Info, note);
            }
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
            self.open_window(); // so that the timeline of the shutdown begins with what main said
        }
        self.shared.recorder.record(level, What::Main(result));
        self.step(Event::MainReturned);
    }

    /// The shutdown begins now, unless it has begun.
    fn open_window(&self) {
        let began = Instant::now();
        let deadline = began + bounded(self.shared.plan.allowance());
        if self.shared.window.set(Window { began, deadline }).is_ok()
            && let Some(arm) = self.shared.last_resort.get()
        {
            arm(bounded(self.shared.plan.allowance()).saturating_add(bounded(self.shared.plan.margin) / 2));
        }
    }

    fn step(&mut self, event: Event) {
        let next = self.phase.after(event);
        if next == self.phase {
            return;
        }
        let now = Instant::now();
        if next.is_terminating() && !self.phase.is_terminating() {
            self.open_window();
        }
        if next == Phase::Draining {
            self.in_flight = work(&self.shared.tracker.remaining());
            self.shared.tracker.begin_drain();
            self.drain_over = (now + bounded(self.shared.plan.drain)).min(self.deadline());
        }
        if next == Phase::Hooks {
            // Before anyone hears of it: from then on, connections cut themselves.
            self.left = self.shared.tracker.remaining();
        }
        let from = std::mem::replace(&mut self.phase, next);
        self.shared.enter(next);
        let detail = self.detail(from, event);
        self.shared.recorder.record(Level::Info, What::Phase(next, detail));
    }

    /// What a phase means now, for the log.
    fn detail(&self, from: Phase, event: Event) -> String {
        let plan = &self.shared.plan;
        let cause = self.cause.as_ref().map_or_else(String::new, Cause::to_string);
        match (self.phase, event) {
            (Phase::Serving, _) => {
                format!("ready {} after the start", Pretty(self.shared.recorder.started().elapsed()))
            }
            (Phase::Grace, _) => {
                let skip = match self.cause {
                    Some(Cause::Signal(Signal::Interrupt)) => "; Ctrl-C again skips it",
                    _ => "",
                };
                let length = match plan.quiet {
                    Some(quiet) if plan.longest_grace() > plan.grace => format!(
                        "{} to {}, until nothing has arrived for {}",
                        Pretty(plan.grace),
                        Pretty(plan.longest_grace()),
                        Pretty(quiet)
                    ),
                    _ => Pretty(plan.grace).to_string(),
                };
                let ready = match plan.unready {
                    Unready::OnSignal => "not ready any more, ",
                    Unready::AfterGrace | Unready::Never => "",
                };
                format!("after {cause}; {ready}serving goes on for {length}{skip}")
            }
            (Phase::Draining, _) => {
                let why = match (from, event) {
                    (Phase::Starting, Event::Stop) => format!("after {cause}, before it was ready, so without grace; "),
                    (Phase::Starting | Phase::Serving, _) => format!("after {cause}; "),
                    _ => String::new(),
                };
                let main = if self.main_ended { None } else { Some(MAIN.to_owned()) };
                let rest = self.shared.tracker.remaining().into_iter().map(|(name, count)| match count {
                    1 => name,
                    count => format!("{count} of {name}"),
                });
                let mut waiting: Vec<_> = main.into_iter().chain(rest).collect();
                let more = waiting.len().saturating_sub(NAMES);
                if more > 0 {
                    waiting.truncate(NAMES);
                    waiting.push(format!("{more} more"));
                }
                match waiting.is_empty() {
                    true => format!("{why}nothing in flight"),
                    false => format!("{why}waiting up to {} for {}", Pretty(plan.drain), waiting.join(", ")),
                }
            }
            (Phase::Hooks, Event::Skip) => {
                "what was left of grace and drain is skipped, by the second SIGINT".to_owned()
            }
            (Phase::Hooks, Event::DrainOver) => "the drain deadline has passed".to_owned(),
            (Phase::Hooks, _) => "nothing is in flight".to_owned(),
            _ => String::new(),
        }
    }

    /// Names and cuts what is still in flight when the hooks begin, and lets it give way for a moment.
    async fn cut_what_is_left(&mut self, requests: &mut UnboundedReceiver<Request>) {
        let shared = self.shared.clone();
        let remaining = std::mem::take(&mut self.left);
        let cut = work(&remaining);
        if let Some(drained) = self.in_flight.checked_sub(cut).filter(|drained| *drained > 0) {
            shared.recorder.record(Level::Info, What::Drained(drained));
        }
        if self.main_ended && remaining.is_empty() {
            if let Some((name, took)) = shared.tracker.waited_for() {
                shared.recorder.record(Level::Info, What::Waited(name, took));
            }
            return;
        }
        for (name, count) in remaining {
            shared.recorder.record(Level::Error, What::Cut(name, count));
        }
        shared.tracker.abort_tasks();
        let main_blocks = !std::mem::replace(&mut self.main_ended, true);
        if main_blocks {
            shared.recorder.record(Level::Error, What::Main(MainResult::Cut));
        }
        let gave_way = async {
            let mut main_blocks = main_blocks;
            while main_blocks && self.forced_by.is_none() {
                match requests.recv().await {
                    Some(Request::Main(_)) | None => main_blocks = false,
                    Some(request) => self.apply(request),
                }
            }
            if self.forced_by.is_none() {
                shared.tracker.emptied().await;
            }
        };
        if timeout(GIVE_WAY, gave_way).await.is_err() {
            let who: Vec<_> = shared.tracker.remaining().into_iter().map(|(name, _)| name).collect();
            let who = if who.is_empty() { MAIN.to_owned() } else { who.join(", ") };
            let text = format!(
                "{who} did not give way within {}: code that blocks its thread, and a future that is not graceful's own, \
                 cannot be cancelled; the hooks begin without it",
                Pretty(GIVE_WAY)
            );
            shared.recorder.note(Level::Error, text);
        }
    }

    async fn hooks(&mut self, requests: &mut UnboundedReceiver<Request>) {
        let cause = self.cause.clone().unwrap_or(Cause::MainReturned);
        let mut hooks = Box::pin(sequence::run(self.shared.clone(), cause, self.deadline()));
        while self.phase == Phase::Hooks && self.forced_by.is_none() {
            tokio::select! {
                biased;
                Some(request) = requests.recv() => self.apply(request),
                () = &mut hooks => self.step(Event::HooksDone),
            }
        }
        if self.forced_by.is_some() {
            // Not dropped: what hooks have captured is the user's, and dropping it here could hang or panic.
            std::mem::forget(hooks);
        }
    }

    fn report(self) -> Report {
        let recorder = &self.shared.recorder;
        let began = self.shared.window.get().map_or(recorder.started(), |window| window.began);
        Report {
            entries: recorder.entries(),
            cause: self.cause,
            began: began - recorder.started(),
            forced_by: self.forced_by,
        }
    }

    /// When grace ends, as far as is known now: later if traffic comes and the plan waits for quiet.
    fn grace_over(&self) -> Instant {
        let plan = &self.shared.plan;
        let floor = self.began() + bounded(plan.grace);
        match plan.quiet {
            None => floor,
            Some(quiet) => {
                (self.shared.last_traffic() + bounded(quiet)).clamp(floor, self.began() + bounded(plan.longest_grace()))
            }
        }
    }

    fn began(&self) -> Instant {
        self.shared.window.get().map_or_else(Instant::now, |window| window.began)
    }

    fn deadline(&self) -> Instant {
        self.shared.window.get().map_or_else(Instant::now, |window| window.deadline)
    }
}

/// How much of what is in flight is work, and not a server that waits for its own.
fn work(in_flight: &[(String, usize)]) -> usize {
    in_flight.iter().filter(|(name, _)| !name.starts_with(SERVER)).map(|(_, count)| count).sum()
}

/// A length that can be added to an instant: a const plan may say `Duration::MAX`.
fn bounded(length: Duration) -> Duration {
    length.min(Duration::from_secs(100 * 365 * 24 * 3600))
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
