//! The one orchestrator: leads the state machine through time, cuts what does not end, runs the hooks, and reports.

use super::{
    deadlines, phase_log,
    state_machine::{StateMachine, work},
    transition::Event,
};
use crate::{
    cause::{Cause, Signal},
    checks::{descriptor::Check, runner},
    context::Context,
    drain::tracker::{CONNECTIONS, MAIN, SERVER},
    hooks::sequence::{self, Environment},
    phase::Phase,
    report::{
        outcome::{HookName, HookOutcome, HookReport, MainResult},
        recorder::Recorder,
        summary::Report,
        timeline::{Level, What},
    },
    shared::Request,
};
use graceful_plan::{Ready, duration::Pretty};
use std::time::Duration;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, sleep_until, timeout},
};

/// How long a process may stay unready before the log says how to become ready.
const READY_REMINDER: Duration = Duration::from_secs(10);
/// How long tasks that are aborted at the drain deadline have to end before the hooks begin.
const CANCELLATION: Duration = Duration::from_millis(100);

/// Leads the process through its phases to the end.
pub(crate) async fn run(
    context: Context,
    checks: &[&'static Check],
    requests: &mut UnboundedReceiver<Request>,
) -> Report {
    runner::start(&context, checks);
    let mut machine = StateMachine::new(context, checks);
    until_the_hooks(&mut machine, requests).await;
    if machine.forced_by.is_none() {
        cut_unfinished(&mut machine, requests).await;
        run_hooks(&mut machine, requests).await;
    }
    report(machine)
}

async fn until_the_hooks(machine: &mut StateMachine<'_>, requests: &mut UnboundedReceiver<Request>) {
    let shared = machine.shared.clone();
    let mut reminder = Some(shared.recorder.started() + READY_REMINDER);
    while machine.phase < Phase::Hooks && machine.forced_by.is_none() {
        // The deadline of this phase, and the event that it stands for.
        let (until, event) = match machine.phase {
            Phase::Grace => (Some(deadlines::end_of_grace(&shared)), Some(Event::GraceOver)),
            Phase::Draining => (Some(machine.end_of_drain), Some(Event::DrainOver)),
            Phase::Starting | Phase::Serving => (reminder, None),
            _ => (None, None),
        };
        let waiting_for_empty = machine.phase == Phase::Draining && machine.main_ended;
        tokio::select! {
            biased;
            Some(request) = requests.recv() => machine.apply(request),
            () = shared.tracker.emptied(), if waiting_for_empty => machine.advance(Event::Emptied),
            () = at(until) => match event {
                // Traffic has arrived meanwhile.
                Some(Event::GraceOver) if deadlines::end_of_grace(&shared) > Instant::now() => {}
                Some(event) => machine.advance(event),
                None => {
                    reminder = None;
                    remind(machine);
                }
            },
        }
    }
}

/// Says once what a process that has run for a while still lacks.
fn remind(machine: &StateMachine<'_>) {
    let note = |text| machine.shared.recorder.note(Level::Warn, text);
    match (machine.phase, machine.shared.plan.ready) {
        (Phase::Starting, Ready::OnServe) => note(format!(
            "not ready after {}: /readyz answers 503 until main calls `graceful::serve(..)` or `ctx.ready()`",
            Pretty(READY_REMINDER)
        )),
        (_, Ready::OnStart) => {
            runner::without_state(&machine.context, machine.checks).into_iter().for_each(note);
        }
        _ => {}
    }
}

/// Names and aborts what is still in flight when the hooks begin, and waits a moment for it to end.
async fn cut_unfinished(machine: &mut StateMachine<'_>, requests: &mut UnboundedReceiver<Request>) {
    let shared = machine.shared.clone();
    let unfinished = std::mem::take(&mut machine.unfinished);
    let drained = machine.in_flight_at_drain.checked_sub(work(&unfinished));
    if let Some(drained) = drained.filter(|drained| *drained > 0) {
        shared.recorder.record(Level::Info, What::Drained(drained));
    }
    if machine.main_ended && unfinished.is_empty() {
        if let Some((name, took)) = shared.tracker.waited_for() {
            shared.recorder.record(Level::Info, What::Waited(name, took));
        }
        return;
    }
    for (name, count) in unfinished.iter().filter(|(name, _)| !waits_for_cut_connections(name, &unfinished)) {
        shared.recorder.record(Level::Error, What::Cut(name.clone(), *count));
    }
    shared.tracker.abort_tasks();
    let main_runs = !std::mem::replace(&mut machine.main_ended, true);
    if main_runs {
        shared.recorder.record(Level::Error, What::Main(MainResult::Cut));
    }
    let ended = async {
        let mut main_runs = main_runs;
        while main_runs && machine.forced_by.is_none() {
            match requests.recv().await {
                Some(Request::Main(_)) | None => main_runs = false,
                Some(request) => machine.apply(request),
            }
        }
        if machine.forced_by.is_none() {
            shared.tracker.emptied().await;
        }
    };
    if timeout(CANCELLATION, ended).await.is_err() {
        let remaining = shared.tracker.remaining();
        let names = phase_log::list(remaining.is_empty().then(|| MAIN.to_owned()), remaining);
        let text = format!(
            "{names} did not end within {} of being cancelled: code that blocks its thread, and a future that is not \
             graceful's own, cannot be cancelled; the hooks run meanwhile",
            Pretty(CANCELLATION)
        );
        shared.recorder.note(Level::Error, text);
    }
}

/// Whether this is a server whose connections are cut: it waits for them, so it is not a loss of its own.
fn waits_for_cut_connections(name: &str, unfinished: &[(String, usize)]) -> bool {
    name.strip_prefix(SERVER).is_some_and(|address| {
        unfinished.iter().any(|(other, _)| other.strip_prefix(CONNECTIONS).is_some_and(|other| other == address))
    })
}

async fn run_hooks(machine: &mut StateMachine<'_>, requests: &mut UnboundedReceiver<Request>) {
    let cause = machine.cause.clone().unwrap_or(Cause::MainReturned);
    let shared = &machine.shared;
    let environment = Environment {
        recorder: shared.recorder.clone(),
        runtime: shared.runtime.clone(),
        thread: shared.hook_thread.get().cloned(),
        state: shared.state.clone(),
    };
    let deadline = deadlines::end_of_hooks(shared);
    let groups = shared.registry.take();
    let names: Vec<_> = groups.iter().flat_map(|group| &group.hooks).map(|hook| hook.name.clone()).collect();
    let mut hooks = Box::pin(sequence::run(groups, environment, cause, deadline));
    while machine.phase == Phase::Hooks && machine.forced_by.is_none() {
        tokio::select! {
            biased;
            Some(request) = requests.recv() => machine.apply(request),
            () = &mut hooks => machine.advance(Event::HooksDone),
        }
    }
    if let Some(signal) = machine.forced_by {
        // Not dropped: the hooks' captured values are the user's, and dropping them here could hang or panic.
        std::mem::forget(hooks);
        name_unended_hooks(&machine.shared.recorder, names, signal);
    }
}

/// Names the hooks that have not ended when a signal ends the process at once.
fn name_unended_hooks(recorder: &Recorder, mut names: Vec<HookName>, signal: Signal) {
    for entry in recorder.entries() {
        if let What::Hook(ended) = entry.what
            && let Some(at) = names.iter().position(|name| *name == ended.hook)
        {
            names.remove(at);
        }
    }
    for hook in names {
        let outcome = HookOutcome::Skipped(format!("{signal} ended the process before the hook had ended"));
        recorder.record(Level::Error, What::Hook(HookReport { hook, outcome, took: Duration::ZERO }));
    }
}

fn report(machine: StateMachine<'_>) -> Report {
    let recorder = &machine.shared.recorder;
    let began = machine.shared.window.get().map_or(recorder.started(), |window| window.began);
    Report {
        entries: recorder.entries(),
        cause: machine.cause,
        began: began - recorder.started(),
        forced_by: machine.forced_by,
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
