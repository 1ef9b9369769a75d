//! Runs the health checks in the background, on the user's runtime, so that probes never wait for a check.

use crate::{
    checks::{board::Board, descriptor::Check},
    context::Context,
    error::StartError,
    hooks::call::Call,
    phase::Phase,
    report::{
        check_state::On,
        outcome::HookOutcome,
        timeline::{Level, What},
    },
};
use graceful_plan::{Plan, duration::Pretty};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// The name of the built-in liveness check.
const HEARTBEAT: &str = "runtime";

/// A board with a row for each of these checks, in their order, and a last one for the heartbeat if the plan has it.
pub(crate) fn board(plan: &Plan, checks: &[&'static Check]) -> Board {
    let heartbeat = plan.liveness_heartbeat.map(|_| (HEARTBEAT, On::Liveness, 1));
    Board::new(checks.iter().map(|check| (check.name, check.on, check.failures)).chain(heartbeat))
}

/// Refuses a check with the name of the heartbeat, if the plan has a heartbeat.
///
/// # Errors
/// There is such a check.
pub(crate) fn refuse_the_heartbeats_name(plan: &Plan, checks: &[&'static Check]) -> Result<(), StartError> {
    let taken = plan.liveness_heartbeat.and_then(|_| checks.iter().find(|check| check.name == HEARTBEAT));
    taken.map_or(Ok(()), |check| {
        let second = format!("the check `{HEARTBEAT}` of liveness_heartbeat");
        Err(StartError::DuplicateCheck { first: check.to_string(), second })
    })
}

/// Runs every check at its period until a shutdown begins: from then on the phase decides readiness, and a failing
/// liveness check must not restart the process.
pub(crate) fn start(context: &Context, checks: &[&'static Check]) {
    for (row, check) in checks.iter().enumerate() {
        let run = run(context.clone(), row, check);
        let over = context.reached(Phase::Grace);
        tokio::spawn(async move {
            tokio::select! { () = over => {}, () = run => {} }
        });
    }
    if let Some(threshold) = context.0.plan.liveness_heartbeat {
        let beat = heartbeat(context.clone(), checks.len(), threshold);
        let over = context.reached(Phase::Grace);
        tokio::spawn(async move {
            tokio::select! { () = over => {}, () = beat => {} }
        });
    }
}

async fn run(context: Context, row: usize, check: &'static Check) {
    let mut ticks = interval(check.period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut running: Option<Call> = None;
    loop {
        ticks.tick().await;
        if running.as_ref().is_some_and(|call| !call.has_ended()) {
            // A sync check cannot be cancelled, and a second run beside it would only block one more thread.
            record(&context, row, Err("the last run has not ended yet".into()));
            continue;
        }
        let mut call = match (check.start)(&context) {
            Ok(prepared) => Call::start(&context.0.runtime, None, prepared),
            Err(missing) => {
                context.0.board.pending(row, missing.to_string());
                continue;
            }
        };
        let outcome = call.within(check.timeout).await;
        running = Some(call);
        record(&context, row, result(outcome));
    }
}

fn result(outcome: HookOutcome) -> Result<(), String> {
    match outcome {
        HookOutcome::Finished => Ok(()),
        HookOutcome::Failed(error) => Err(error),
        HookOutcome::Panicked(message) => Err(format!("it panicked: {message}")),
        HookOutcome::TimedOut { limit, .. } => Err(format!("no result within {}", Pretty(limit))),
        HookOutcome::Skipped(reason) => Err(reason),
    }
}

/// Checks that the user's runtime runs tasks.
async fn heartbeat(context: Context, row: usize, threshold: Duration) {
    let mut ticks = interval((threshold / 4).max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let begun = Instant::now();
        let mut beat = context.0.runtime.spawn(async {});
        while timeout(threshold, &mut beat).await.is_err() {
            let text = format!("the runtime of main has run no task for {}", Pretty(begun.elapsed()));
            record(&context, row, Err(text));
        }
        record(&context, row, Ok(()));
    }
}

fn record(context: &Context, row: usize, result: Result<(), String>) {
    if let Some(change) = context.0.board.record(row, result) {
        let level = if change.allows() { Level::Info } else { Level::Warn };
        context.0.recorder.record(level, What::Check(change));
    }
}

/// The checks whose state has not been provided, each with the missing type.
pub(crate) fn without_state(context: &Context, checks: &[&'static Check]) -> Vec<String> {
    let missing = |check: &&&'static Check| (check.start)(context).err();
    checks.iter().filter_map(|check| Some(format!("{check}: {}", missing(&check)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::descriptor::FromCheckContext,
        hooks::{descriptor::HookRun, state::State},
        report::recorder::Recorder,
    };
    use tokio::{runtime::Handle, time::sleep};

    struct Database;

    const fn needs_database(name: &'static str, on: On) -> Check {
        Check {
            name,
            on,
            period: Duration::from_secs(2),
            timeout: Duration::from_secs(1),
            failures: 1,
            package: "shop",
            module: "shop",
            file: "src/main.rs",
            line: 7,
            start: |context| State::<Database>::from_check_context(context).map(|_| HookRun::future(async { Ok(()) })),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_is_pending_while_its_state_is_missing_and_passes_once_it_is_provided() {
        static CHECKS: [Check; 3] = [
            needs_database("db", On::Readiness),
            needs_database("migrated", On::Startup),
            needs_database("pool", On::Liveness),
        ];
        let checks: Vec<_> = CHECKS.iter().collect();
        let board = board(&Plan::DEFAULT, &checks);
        let (context, _requests) = Context::open(Plan::DEFAULT, false, board, Recorder::new(|_| {}), Handle::current());
        start(&context, &checks);
        sleep(Duration::from_secs(61)).await;
        for (on, allows) in [(On::Readiness, false), (On::Startup, false), (On::Liveness, true)] {
            let [known] = &context.0.board.of(on)[..] else { panic!("one check of {on}") };
            assert_eq!(known.allows(), allows, "{on}");
            let status = known.status.to_string();
            assert!(status.starts_with("pending: no `") && status.contains("Database` was provided"), "{status}");
        }
        context.provide(Database);
        sleep(Duration::from_secs(3)).await;
        for on in [On::Readiness, On::Startup, On::Liveness] {
            assert_eq!(context.0.board.of(on)[0].status.to_string(), "ok", "{on}");
        }
    }

    #[test]
    fn a_check_with_the_name_of_the_heartbeat_is_refused_beside_it_and_both_are_named() {
        static CHECK: Check = needs_database(HEARTBEAT, On::Readiness);
        let refused = |plan| refuse_the_heartbeats_name(&plan, &[&CHECK]).err().map(|error| error.to_string());
        assert_eq!(refused(Plan::DEFAULT), None);
        let text = refused(Plan { liveness_heartbeat: Some(Duration::from_secs(10)), ..Plan::DEFAULT }).unwrap();
        assert!(text.contains("readiness check runtime (shop src/main.rs:7)"), "{text}");
        assert!(text.contains("`runtime` of liveness_heartbeat") && text.contains("name = "), "{text}");
    }
}
