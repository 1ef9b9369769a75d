//! Runs the hooks: group after group, the hooks of a group together, each under its limit.

use crate::{
    context::Shared,
    hook::{HookContext, HookRun},
    registry::{self, Planned, Start, Wish},
    report::{Cause, HookOutcome, HookReport, Level, What},
};
use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, timeout},
};

/// Runs every hook and records how each ended. Nothing that a hook does stops the others.
pub(crate) async fn run(shared: Arc<Shared>, cause: Cause, deadline: Instant) {
    let groups = shared.registry.take();
    let wishes: Vec<Wish> = groups.iter().map(registry::Group::wish).collect();
    for (at, group) in groups.into_iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut running = JoinSet::new();
        for hook in group.hooks {
            let limit = registry::limit(hook.timeout, wishes[at], &wishes[at + 1..], left);
            running.spawn(run_one(shared.clone(), hook, cause.clone(), limit));
        }
        while running.join_next().await.is_some() {}
    }
}

async fn run_one(shared: Arc<Shared>, hook: Planned, cause: Cause, limit: Duration) {
    let begun = Instant::now();
    let outcome = outcome_of(&shared, hook.start, cause, limit).await;
    let level = if outcome == HookOutcome::Finished { Level::Info } else { Level::Error };
    let report = HookReport { hook: hook.name, outcome, took: begun.elapsed() };
    shared.recorder.record(level, What::Hook(report));
}

async fn outcome_of(shared: &Shared, start: Start, cause: Cause, limit: Duration) -> HookOutcome {
    if limit.is_zero() {
        // What it captured is the user's, and so is the thread that drops it.
        shared.runtime.spawn_blocking(move || drop(start));
        return HookOutcome::Skipped("no time was left before the deadline".into());
    }
    let given_up = Arc::new(AtomicBool::new(false));
    let context = HookContext {
        cause,
        deadline: Instant::now() + limit,
        given_up: given_up.clone(),
        state: shared.state.clone(),
    };
    let run = match start(&context) {
        Ok(run) => run,
        Err(missing) => return HookOutcome::Skipped(missing.to_string()),
    };
    let started = Arc::new(AtomicBool::new(false));
    let begins = started.clone();
    // On the user's runtime, where the hook's sockets and pools live.
    let mut task = match run {
        HookRun::Future(future) => shared.runtime.spawn(async move {
            begins.store(true, Ordering::Relaxed);
            future.await
        }),
        HookRun::Blocking(call) => shared.runtime.spawn_blocking(move || {
            begins.store(true, Ordering::Relaxed);
            call()
        }),
    };
    match timeout(limit, &mut task).await {
        Ok(Ok(Ok(()))) => HookOutcome::Finished,
        Ok(Ok(Err(error))) => HookOutcome::Failed(error),
        Ok(Err(error)) => ended_badly(error),
        Err(_) => {
            given_up.store(true, Ordering::Relaxed);
            task.abort();
            HookOutcome::TimedOut { limit, started: started.load(Ordering::Relaxed) }
        }
    }
}

fn ended_badly(error: JoinError) -> HookOutcome {
    match error.try_into_panic() {
        Ok(panic) => HookOutcome::Panicked(panic_message(&*panic)),
        Err(_) => HookOutcome::Failed("the runtime was shut down under it".into()),
    }
}

/// The text of a panic, as the default hook prints it.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a text".to_owned())
}
