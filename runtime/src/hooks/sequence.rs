//! Runs the hooks: group after group, the hooks of a group concurrently, each under its time limit.

use super::{
    call::{Call, HookThread},
    descriptor::{HookContext, HookRun},
    registry::{Group, RegisteredHook, Start},
    state::Provided,
    time_limit::{time_limit, with_later},
};
use crate::{
    cause::Cause,
    report::{
        outcome::{HookName, HookOutcome, HookReport},
        recorder::Recorder,
        timeline::{Level, What},
    },
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Handle, task::JoinSet, time::Instant};
use tracing::Instrument;

/// The parts of a process that hooks need.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) recorder: Arc<Recorder>,
    /// The user's runtime.
    pub(crate) runtime: Handle,
    /// For synchronous hooks; none in tests.
    pub(crate) thread: Option<Arc<HookThread>>,
    pub(crate) state: Arc<Provided>,
}

/// Runs every hook and records how each ended. An error, a panic or a timeout of one does not stop the others.
pub(crate) async fn run(groups: Vec<Group>, environment: Environment, cause: Cause, deadline: Instant) {
    let demands = with_later(groups.iter().map(Group::demand));
    for (group, (own, later)) in groups.into_iter().zip(demands) {
        let left = deadline.saturating_duration_since(Instant::now());
        let (mut running, mut names) = (JoinSet::new(), HashMap::new());
        for hook in group.hooks {
            let limit = time_limit(hook.timeout, own, later, left);
            let name = hook.name.clone();
            names.insert(running.spawn(run_one(environment.clone(), hook, cause.clone(), limit)).id(), name);
        }
        while let Some(ended) = running.join_next_with_id().await {
            // The preparation of the call has panicked: the call itself is a task of its own.
            if let Err(error) = ended
                && let Some(hook) = names.remove(&error.id())
            {
                let outcome = HookOutcome::Panicked(error.to_string());
                environment
                    .recorder
                    .record(Level::Error, What::Hook(HookReport { hook, outcome, took: Duration::ZERO }));
            }
        }
    }
}

async fn run_one(environment: Environment, hook: RegisteredHook, cause: Cause, limit: Duration) {
    let begun = Instant::now();
    let outcome = outcome_of(&environment, &hook.name, hook.start, cause, limit).await;
    let level = if outcome == HookOutcome::Finished { Level::Info } else { Level::Error };
    let report = HookReport { hook: hook.name, outcome, took: begun.elapsed() };
    environment.recorder.record(level, What::Hook(report));
}

async fn outcome_of(
    environment: &Environment,
    name: &HookName,
    start: Start,
    cause: Cause,
    limit: Duration,
) -> HookOutcome {
    if limit.is_zero() {
        // Dropped like a sync hook would run: its captured values are the user's.
        let dropped = HookRun::blocking(move || {
            drop(start);
            Ok(())
        });
        Call::start(&environment.runtime, environment.thread.as_deref(), dropped);
        return HookOutcome::Skipped("no time was left before the deadline".into());
    }
    let given_up = Arc::new(AtomicBool::new(false));
    let context = HookContext {
        cause,
        deadline: Instant::now() + limit,
        given_up: given_up.clone(),
        state: environment.state.clone(),
    };
    let run = match start(&context) {
        Ok(run) => run,
        Err(missing) => return HookOutcome::Skipped(missing.to_string()),
    };
    let outcome =
        Call::start(&environment.runtime, environment.thread.as_deref(), in_span(run, name)).within(limit).await;
    if matches!(outcome, HookOutcome::TimedOut { .. }) {
        given_up.store(true, Ordering::Relaxed);
    }
    outcome
}

/// Runs a hook in a span of its own, created on the user's runtime because it calls the user's subscriber.
fn in_span(run: HookRun, name: &HookName) -> HookRun {
    let (name, order) = (name.name.clone(), name.order);
    let span = move || tracing::info_span!(target: "graceful", "shutdown_hook", hook = &*name, order);
    match run {
        HookRun::Future(future) => HookRun::future(async move { future.instrument(span()).await }),
        HookRun::Blocking(call) => HookRun::blocking(move || span().in_scope(call)),
    }
}
