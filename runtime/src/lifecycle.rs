//! The one orchestrator: requests and deadlines in, phases and a report out.

use crate::{
    call,
    cause::{Cause, Signal},
    check::Check,
    checking,
    context::{Context, Request, Shared, Window},
    phase::{Event, Phase},
    report::{Level, MainResult, Report, What},
    sequence,
};
use graceful_plan::{Ready, Unready, duration::Pretty};
use std::{future::Future, panic::AssertUnwindSafe, pin::pin, sync::Arc, task::Poll, time::Duration};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, sleep_until, timeout},
};

/// How long a process may stay unready before the log says how to become ready.
const READY_REMINDER: Duration = Duration::from_secs(10);
/// How long what was cut at the drain deadline gets to give way before the hooks begin.
const GIVE_WAY: Duration = Duration::from_millis(100);

/// Leads the process through its phases until everything is over.
pub(crate) async fn run(
    context: Context,
    checks: &[&'static Check],
    requests: &mut UnboundedReceiver<Request>,
) -> Report {
    checking::start(&context, checks);
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
        let mut reminder =
            Some(shared.recorder.started() + READY_REMINDER).filter(|_| shared.plan.ready == Ready::OnServe);
        while self.phase < Phase::Hooks && self.forced_by.is_none() {
            // The clock of this phase, and what it means when it runs out.
            let (until, event) = match self.phase {
                Phase::Grace => (Some(self.grace_over()), Some(Event::GraceOver)),
                Phase::Draining => (Some(self.drain_over), Some(Event::DrainOver)),
                Phase::Starting => (reminder, None),
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
                        shared.recorder.note(Level::Warn, format!(
                            "not ready after {}: /readyz answers 503 until main calls `graceful::serve(..)` or `ctx.ready()`",
                            Pretty(READY_REMINDER)
                        ));
                    }
                },
            }
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
        let missing = checking::without_state(&self.context, self.checks);
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
        self.shared.recorder.record(level, What::Main(result));
        self.cause.get_or_insert(Cause::MainReturned);
        self.step(Event::MainReturned);
    }

    fn step(&mut self, event: Event) {
        let next = self.phase.after(event);
        if next == self.phase {
            return;
        }
        let now = Instant::now();
        if next.is_terminating() && !self.phase.is_terminating() {
            let deadline = now + self.shared.plan.allowance();
            // Set once: this is the only place, and phases never go back.
            let _ = self.shared.window.set(Window { began: now, deadline });
        }
        if next == Phase::Draining {
            self.in_flight = self.shared.tracker.total();
            self.drain_over = (now + self.shared.plan.drain).min(self.deadline());
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
                let main = if self.main_ended { None } else { Some("main".to_owned()) };
                let rest = self.shared.tracker.remaining().into_iter().map(|(name, count)| match count {
                    1 => name,
                    count => format!("{count} of {name}"),
                });
                let waiting: Vec<_> = main.into_iter().chain(rest).collect();
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
        let cut: usize = remaining.iter().map(|(_, count)| count).sum();
        if let Some(drained) = self.in_flight.checked_sub(cut).filter(|drained| *drained > 0) {
            shared.recorder.record(Level::Info, What::Drained(drained));
        }
        if self.main_ended && remaining.is_empty() {
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
            let who = if who.is_empty() { "main".to_owned() } else { who.join(", ") };
            let text = format!(
                "{who} did not give way: code that blocks its thread cannot be cancelled; the hooks begin without it"
            );
            shared.recorder.note(Level::Error, text);
        }
    }

    async fn hooks(&mut self, requests: &mut UnboundedReceiver<Request>) {
        let cause = self.cause.clone().unwrap_or(Cause::MainReturned);
        let mut hooks = pin!(sequence::run(self.shared.clone(), cause, self.deadline()));
        while self.phase == Phase::Hooks && self.forced_by.is_none() {
            tokio::select! {
                biased;
                Some(request) = requests.recv() => self.apply(request),
                () = &mut hooks => self.step(Event::HooksDone),
            }
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
        let floor = self.began() + plan.grace;
        match plan.quiet {
            None => floor,
            Some(quiet) => (self.shared.last_traffic() + quiet).clamp(floor, self.began() + plan.longest_grace()),
        }
    }

    fn began(&self) -> Instant {
        self.shared.window.get().map_or_else(Instant::now, |window| window.began)
    }

    fn deadline(&self) -> Instant {
        self.shared.window.get().map_or_else(Instant::now, |window| window.deadline)
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// What `main` may return.
#[diagnostic::on_unimplemented(
    message = "main cannot return a `{Self}`",
    label = "not what a graceful main returns",
    note = "main returns `()`, `Result<(), E>`, `ExitCode` or `Result<ExitCode, E>`, where `E: Debug`"
)]
pub trait MainReturn {
    /// What it says about the exit code.
    fn into_result(self) -> MainResult;
}

impl MainReturn for () {
    fn into_result(self) -> MainResult {
        MainResult::Returned(0)
    }
}

impl MainReturn for std::process::ExitCode {
    fn into_result(self) -> MainResult {
        // An `ExitCode` does not tell its number, but it compares.
        MainResult::Returned((0..=u8::MAX).find(|&code| Self::from(code) == self).unwrap_or(1))
    }
}

impl<T: MainReturn, E: std::fmt::Debug> MainReturn for Result<T, E> {
    fn into_result(self) -> MainResult {
        match self {
            Ok(value) => value.into_result(),
            Err(error) => MainResult::Failed(format!("{error:?}")),
        }
    }
}

/// Runs `main` to its end, its panic, or the moment when the hooks begin without it; the lifecycle hears which.
pub(crate) async fn drive<F, Fut>(context: Context, main: F)
where
    F: FnOnce(Context) -> Fut,
    Fut: Future,
    Fut::Output: MainReturn,
{
    let cut = context.reached(Phase::Hooks);
    if context.0.plan.ready == Ready::OnStart {
        context.ready();
    }
    let given = context.clone();
    let mut main = Box::pin(async move { main(given).await.into_result() });
    let main_or_panic = std::future::poll_fn(|cx| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| main.as_mut().poll(cx)));
        polled.unwrap_or_else(|panic| Poll::Ready(MainResult::Panicked(call::panic_message(&*panic))))
    });
    let result = tokio::select! {
        biased;
        result = main_or_panic => result,
        () = cut => MainResult::Cut,
    };
    // A value of main's that panics when it is dropped must not keep the hooks from running.
    let dropped = std::panic::catch_unwind(AssertUnwindSafe(|| drop(main)));
    let result = match dropped {
        Err(panic) if matches!(result, MainResult::Returned(_)) => MainResult::Panicked(call::panic_message(&*panic)),
        _ => result,
    };
    context.0.request(Request::Main(result));
}
