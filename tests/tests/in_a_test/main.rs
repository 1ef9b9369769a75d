//! Whole lifecycles in a test, on paused time (`Builder::run_here`): durations are exact to the millisecond.
#![allow(clippy::unwrap_used)]

mod flood;
mod linked;

use graceful::{Builder, Cause, Context, HookOutcome, MainResult, Phase, Plan, Report, Signal, What};
use std::{
    future::pending,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// 5 s of grace, 10 s of drain, 1 s of margin, 30 s in total, and no health server.
const PLAN: Plan = Plan { health: graceful::Health::Off, ..Plan::DEFAULT };

async fn run<F, Fut>(main: F) -> Report
where
    F: FnOnce(Context) -> Fut,
    Fut: Future,
    Fut::Output: graceful::__private::MainReturn,
{
    Builder::for_tests().run_here(main).await.unwrap()
}

/// The time from the start of the shutdown to the start of a phase.
fn entered(report: &Report, phase: Phase) -> Duration {
    let is_it = |what: &What| matches!(what, What::Phase(entered, _) if *entered == phase);
    let entry = report.entries.iter().find(|entry| is_it(&entry.what));
    entry.unwrap_or_else(|| panic!("no {phase} in {report}")).at - report.began
}

/// Timers have a granularity of one millisecond.
#[track_caller]
fn assert_about(is: Duration, should_be: Duration) {
    assert!(is >= should_be && is <= should_be + ms(5), "{is:?} instead of {should_be:?}");
}

fn outcome(report: &Report, name: &str) -> HookOutcome {
    let hook = report.hooks().find(|hook| hook.hook.name == name);
    hook.unwrap_or_else(|| panic!("no hook {name} in {report}")).outcome.clone()
}

fn limit(report: &Report, name: &str) -> Duration {
    match outcome(report, name) {
        HookOutcome::TimedOut { limit, started: true } => limit,
        other => panic!("{name}: {other:?}"),
    }
}

async fn panics(message: &'static str) {
    panic!("{message}")
}

#[tokio::test(start_paused = true)]
async fn grace_lasts_as_long_as_configured() {
    let report = run(|ctx| async move {
        ctx.ready();
        sleep(ms(700)).await;
        ctx.shutdown("enough");
        ctx.terminating().await;
        assert_eq!(ctx.phase(), Phase::Grace);
        ctx.draining().await;
    })
    .await;
    assert_eq!(report.cause, Some(Cause::Requested("enough".into())));
    assert_about(entered(&report, Phase::Grace), ms(0));
    assert_about(entered(&report, Phase::Draining), PLAN.grace);
    assert_about(entered(&report, Phase::Stopped), PLAN.grace);
    assert_eq!(report.exit_code(), 0);
    let phases: Vec<_> = report.phases().collect();
    assert_eq!(phases, &Phase::ALL[1..]);
}

#[tokio::test(start_paused = true)]
async fn the_drain_ends_when_all_tasks_end() {
    let report = run(|ctx| async move {
        ctx.ready();
        ctx.shutdown("enough");
        ctx.draining().await;
        ctx.spawn("three seconds", sleep(ms(3000)));
        let tracked = ctx.track(sleep(ms(4000)));
        tokio::spawn(tracked);
    })
    .await;
    assert_about(entered(&report, Phase::Hooks), PLAN.grace + ms(4000));
    assert_eq!((report.exit_code(), report.main()), (0, Some(&MainResult::Returned(0))));
}

#[tokio::test(start_paused = true)]
async fn the_drain_deadline_cuts_and_reports_unfinished_work() {
    let report = run(|ctx| async move {
        ctx.ready();
        ctx.spawn("stuck", pending::<()>());
        ctx.shutdown("enough");
        ctx.draining().await;
    })
    .await;
    assert_about(entered(&report, Phase::Hooks), PLAN.grace + PLAN.drain);
    assert_eq!(report.exit_code(), 3);
    let cut: Vec<_> = report.problems().map(|entry| entry.what.clone()).collect();
    assert_eq!(cut, [What::Cut("task stuck".into(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_main_that_never_returns_is_cut_and_dropped() {
    struct NotifiesOnDrop(Arc<Mutex<bool>>);
    impl Drop for NotifiesOnDrop {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }
    let dropped = Arc::new(Mutex::new(false));
    let guard = NotifiesOnDrop(dropped.clone());
    let report = run(|ctx| async move {
        let _guard = guard;
        ctx.ready();
        ctx.shutdown("enough");
        pending::<()>().await;
    })
    .await;
    assert_eq!((report.exit_code(), report.main()), (3, Some(&MainResult::Cut)));
    assert!(*dropped.lock().unwrap());
}

#[tokio::test(start_paused = true)]
async fn there_is_no_grace_before_ready() {
    let report = run(|ctx| async move {
        ctx.shutdown("enough");
        ctx.terminating().await;
        assert_eq!(ctx.phase(), Phase::Draining);
    })
    .await;
    assert_eq!(report.phases().collect::<Vec<_>>(), [Phase::Draining, Phase::Hooks, Phase::Stopped]);
}

#[tokio::test(start_paused = true)]
async fn ready_after_the_shutdown_started_has_no_effect() {
    let report = run(|ctx| async move {
        ctx.shutdown("enough");
        ctx.draining().await;
        ctx.ready();
        sleep(ms(100)).await;
        assert_eq!(ctx.phase(), Phase::Draining);
    })
    .await;
    assert!(!report.phases().any(|phase| phase == Phase::Serving), "{report}");
}

#[tokio::test(start_paused = true)]
async fn hooks_without_a_timeout_share_the_remaining_time() {
    let report = run(|ctx| async move {
        for (order, name) in [(1, "first"), (2, "second"), (2, "beside it"), (3, "third")] {
            ctx.on_shutdown(order, name, pending::<()>);
        }
        ctx.ready();
        ctx.shutdown("enough");
        ctx.draining().await;
    })
    .await;
    // 30 s minus 1 s of margin and 5 s of grace; the drain is empty, so its 10 s remain for the hooks.
    for name in ["first", "second", "beside it", "third"] {
        assert_about(limit(&report, name), ms(8000) - ms(3));
    }
    assert_about(entered(&report, Phase::Stopped), ms(29_000));
    assert_eq!(report.exit_code(), 3);
}

#[tokio::test(start_paused = true)]
async fn unused_time_of_a_hook_goes_to_the_following_hooks() {
    let report = run(|ctx| async move {
        ctx.on_shutdown(1, "quick", || sleep(ms(2000)));
        ctx.on_shutdown(2, "slow", pending::<()>);
        ctx.ready();
        ctx.shutdown("enough");
        ctx.draining().await;
    })
    .await;
    assert_eq!(outcome(&report, "quick"), HookOutcome::Finished);
    assert_about(limit(&report, "slow"), ms(22_000) - ms(5));
}

#[tokio::test(start_paused = true)]
async fn a_hook_without_remaining_time_is_skipped_and_reported() {
    let plan = Plan { drain: ms(24_000), ..PLAN }; // with grace and margin, the whole 30 s
    let main = |ctx: Context| async move {
        ctx.on_shutdown(1, "flush", || sleep(ms(1)));
        ctx.spawn("stuck", pending::<()>());
        ctx.ready();
        ctx.shutdown("enough");
        ctx.draining().await;
    };
    let report = Builder::for_tests().plan(plan).run_here(main).await.unwrap();
    assert_eq!(outcome(&report, "flush"), HookOutcome::Skipped("no time was left before the deadline".into()));
    assert_about(entered(&report, Phase::Stopped), ms(29_000));
    assert_eq!(report.exit_code(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_known_once_the_shutdown_starts() {
    run(|ctx| async move {
        assert_eq!(ctx.deadline(), None);
        ctx.ready();
        ctx.shutdown("enough");
        ctx.terminating().await;
        let left = ctx.deadline().unwrap() - Instant::now().into_std();
        assert!(left <= ms(29_000) && left >= ms(28_990), "{left:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn pre_stop_shortens_the_remaining_time() {
    let plan = Plan { pre_stop: ms(10_000), ..PLAN };
    let main = |ctx: Context| async move {
        ctx.on_shutdown(1, "slow", pending::<()>);
        ctx.ready();
        ctx.shutdown("enough");
        ctx.draining().await;
    };
    let report = Builder::for_tests().plan(plan).run_here(main).await.unwrap();
    assert_about(entered(&report, Phase::Stopped), ms(19_000));
}

#[tokio::test(start_paused = true)]
async fn hooks_run_in_ascending_order_independent_of_registration() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let report = run({
        let seen = seen.clone();
        |ctx| async move {
            for order in [3, i32::MAX, -1, 0, i32::MIN] {
                let seen = seen.clone();
                ctx.on_shutdown(order, format!("at {order}"), move || async move { seen.lock().unwrap().push(order) });
            }
        }
    })
    .await;
    assert_eq!(*seen.lock().unwrap(), [i32::MIN, -1, 0, 3, i32::MAX]);
    assert_eq!(report.exit_code(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_failing_hook_does_not_stop_the_others_of_its_order() {
    let report = run(|ctx| async move {
        ctx.on_shutdown(1, "fails", || async { Err::<(), _>("no route to host") });
        ctx.on_shutdown(1, "panics", || panics("no way"));
        ctx.on_shutdown(1, "finishes", || sleep(ms(10)));
        ctx.on_shutdown(2, "later", || sleep(ms(10)));
    })
    .await;
    assert_eq!(outcome(&report, "fails"), HookOutcome::Failed("no route to host".into()));
    assert_eq!(outcome(&report, "panics"), HookOutcome::Panicked("no way".into()));
    assert_eq!(outcome(&report, "finishes"), HookOutcome::Finished);
    assert_eq!(outcome(&report, "later"), HookOutcome::Finished);
    let text = report.to_string();
    assert!(text.contains("tests/tests/in_a_test/main.rs:") && text.contains("FAILED: no route to host"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn injected_signals_escalate_as_real_ones_do() {
    let builder = Builder::for_tests();
    let triggers = builder.triggers();
    let report = builder
        .run_here(|ctx| async move {
            ctx.on_shutdown(1, "hangs", pending::<()>);
            ctx.ready();
            triggers.signal(Signal::Interrupt);
            ctx.terminating().await;
            sleep(ms(1000)).await;
            triggers.signal(Signal::Interrupt);
            tokio::spawn(async move {
                sleep(ms(3000)).await;
                triggers.signal(Signal::Interrupt);
            });
            pending::<()>().await;
        })
        .await
        .unwrap();
    assert_about(entered(&report, Phase::Hooks), ms(1000));
    assert_eq!((report.forced_by, report.exit_code()), (Some(Signal::Interrupt), 130));
    let unended = HookOutcome::Skipped("SIGINT ended the process before the hook had ended".into());
    assert_eq!(outcome(&report, "hangs"), unended);
    assert!(report.phases().all(|phase| phase < Phase::Stopped), "{report}");
}

#[tokio::test(start_paused = true)]
async fn the_drain_token_is_cancelled_at_the_drain_and_cancelling_it_has_no_effect_on_others() {
    let report = run(|ctx| async move {
        let (token, own) = (ctx.drain_token(), ctx.drain_token());
        own.cancel();
        assert!(!token.is_cancelled());
        ctx.ready();
        ctx.shutdown("enough");
        ctx.terminating().await;
        assert!(!token.is_cancelled());
        token.cancelled().await;
        assert_eq!(ctx.phase(), Phase::Draining);
    })
    .await;
    assert_about(entered(&report, Phase::Draining), PLAN.grace);
}

#[tokio::test(start_paused = true)]
async fn every_return_type_of_main_maps_to_an_exit_code() {
    assert_eq!(run(|_| async {}).await.exit_code(), 0);
    assert_eq!(run(|_| async { ExitCode::from(9) }).await.exit_code(), 9);
    assert_eq!(run(|_| async { Err::<(), _>("no database") }).await.exit_code(), 1);
    assert_eq!(run(|_| async { Ok::<_, String>(ExitCode::from(4)) }).await.exit_code(), 4);
    let report = run(|_| panics("enough")).await;
    assert_eq!((report.exit_code(), report.main()), (101, Some(&MainResult::Panicked("enough".into()))));
}

#[tokio::test(start_paused = true)]
async fn provided_values_are_found_by_their_type() {
    run(|ctx| async move {
        assert!(ctx.state::<String>().is_none());
        ctx.provide("first".to_owned());
        ctx.provide("second".to_owned());
        ctx.provide(7u8);
        assert_eq!(ctx.state::<String>().as_deref().map(String::as_str), Some("second"));
        assert_eq!(ctx.state::<u8>().as_deref(), Some(&7));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_over_the_budget_is_rejected_with_its_sum() {
    let plan = Plan { grace: ms(60_000), ..PLAN };
    let refused = Builder::for_tests().plan(plan).run_here(|_| async {}).await.unwrap_err().to_string();
    assert!(refused.contains("= needed                    1m11s") && refused.contains("41s too long"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_never_becomes_ready_is_warned_once() {
    let report = run(|ctx| async move {
        sleep(ms(60_000)).await;
        ctx.shutdown("enough");
    })
    .await;
    let warnings = report
        .entries
        .iter()
        .filter(|entry| matches!(&entry.what, What::Note(note) if note.contains("not ready after 10s")));
    let warnings: Vec<_> = warnings.collect();
    assert_eq!(warnings.len(), 1, "{report}");
    let text = warnings[0].what.to_string();
    assert!(text.contains("graceful::serve(..)") && text.contains("ctx.ready()"), "{text}");
    assert_about(warnings[0].at, ms(10_000));
}
