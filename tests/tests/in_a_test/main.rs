//! Whole lives inside of a test, on paused time: what `Builder::run_here` is for, and how long things take to the
//! millisecond.
#![allow(clippy::unwrap_used)]

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

/// 5 s of grace, 10 s of drain, 30 s in all with 1 s of margin, and no health server.
const PLAN: Plan = Plan { health: graceful::Health::Off, ..Plan::DEFAULT };

async fn life<F, Fut>(main: F) -> Report
where
    F: FnOnce(Context) -> Fut,
    Fut: Future,
    Fut::Output: graceful::__private::MainReturn,
{
    Builder::for_tests().run_here(main).await.unwrap()
}

/// How long after the beginning of the shutdown a phase began.
fn entered(report: &Report, phase: Phase) -> Duration {
    let is_it = |what: &What| matches!(what, What::Phase(entered, _) if *entered == phase);
    let entry = report.entries.iter().find(|entry| is_it(&entry.what));
    entry.unwrap_or_else(|| panic!("no {phase} in {report}")).at - report.began
}

/// Timers have a granularity of a millisecond.
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
async fn grace_lasts_as_long_as_it_says() {
    let report = life(|ctx| async move {
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
async fn the_drain_waits_for_tasks_and_no_longer() {
    let report = life(|ctx| async move {
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
async fn the_drain_deadline_cuts_what_is_left_and_names_it() {
    let report = life(|ctx| async move {
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
    struct TellsOnDrop(Arc<Mutex<bool>>);
    impl Drop for TellsOnDrop {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }
    let dropped = Arc::new(Mutex::new(false));
    let tells = TellsOnDrop(dropped.clone());
    let report = life(|ctx| async move {
        let _tells = tells;
        ctx.ready();
        ctx.shutdown("enough");
        pending::<()>().await;
    })
    .await;
    assert_eq!((report.exit_code(), report.main()), (3, Some(&MainResult::Cut)));
    assert!(*dropped.lock().unwrap());
}

#[tokio::test(start_paused = true)]
async fn before_it_is_ready_there_is_no_grace() {
    let report = life(|ctx| async move {
        ctx.shutdown("enough");
        ctx.terminating().await;
        assert_eq!(ctx.phase(), Phase::Draining);
    })
    .await;
    assert_eq!(report.phases().collect::<Vec<_>>(), [Phase::Draining, Phase::Hooks, Phase::Stopped]);
}

#[tokio::test(start_paused = true)]
async fn being_ready_after_the_shutdown_began_changes_nothing() {
    let report = life(|ctx| async move {
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
async fn hooks_without_a_timeout_share_what_is_left() {
    let report = life(|ctx| async move {
        for (order, name) in [(1, "first"), (2, "second"), (2, "beside it"), (3, "third")] {
            ctx.on_shutdown(order, name, pending::<()>);
        }
        ctx.ready();
        ctx.shutdown("enough");
        ctx.draining().await;
    })
    .await;
    // 30 s less 1 s of margin and 5 s of grace; the drain was empty, and its 10 s are left over for the hooks.
    for name in ["first", "second", "beside it", "third"] {
        assert_about(limit(&report, name), ms(8000) - ms(3));
    }
    assert_about(entered(&report, Phase::Stopped), ms(29_000));
    assert_eq!(report.exit_code(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_a_quick_hook_leaves_over_goes_to_those_after_it() {
    let report = life(|ctx| async move {
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
async fn a_hook_for_which_a_drain_to_the_last_moment_leaves_no_time_is_skipped_and_says_so() {
    let plan = Plan { drain: ms(24_000), ..PLAN }; // with grace and margin, all of the 30 s
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
async fn a_deadline_is_known_once_a_shutdown_has_begun() {
    life(|ctx| async move {
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
async fn pre_stop_shortens_what_is_left() {
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
async fn hooks_run_in_ascending_order_whatever_the_order_of_their_registration() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let report = life({
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
async fn one_hook_of_a_group_that_goes_wrong_does_not_stop_the_others() {
    let report = life(|ctx| async move {
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
    assert!(report.hooks().next().is_none() && report.phases().all(|phase| phase < Phase::Stopped), "{report}");
}

#[tokio::test(start_paused = true)]
async fn the_drain_token_is_cancelled_with_the_drain_and_cancelling_it_harms_nobody() {
    let report = life(|ctx| async move {
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
async fn every_return_type_of_main_has_its_exit_code() {
    assert_eq!(life(|_| async {}).await.exit_code(), 0);
    assert_eq!(life(|_| async { ExitCode::from(9) }).await.exit_code(), 9);
    assert_eq!(life(|_| async { Err::<(), _>("no database") }).await.exit_code(), 1);
    assert_eq!(life(|_| async { Ok::<_, String>(ExitCode::from(4)) }).await.exit_code(), 4);
    let report = life(|_| panics("enough")).await;
    assert_eq!((report.exit_code(), report.main()), (101, Some(&MainResult::Panicked("enough".into()))));
}

#[tokio::test(start_paused = true)]
async fn provided_values_are_found_by_their_type() {
    life(|ctx| async move {
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
async fn a_plan_that_does_not_fit_is_refused_with_its_sum() {
    let plan = Plan { grace: ms(60_000), ..PLAN };
    let refused = Builder::for_tests().plan(plan).run_here(|_| async {}).await.unwrap_err().to_string();
    assert!(refused.contains("= needed                    1m11s") && refused.contains("41s too long"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_forgets_to_be_ready_is_told_how_once() {
    let report = life(|ctx| async move {
        sleep(ms(60_000)).await;
        ctx.shutdown("enough");
    })
    .await;
    let told = report
        .entries
        .iter()
        .filter(|entry| matches!(&entry.what, What::Note(note) if note.contains("not ready after 10s")));
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 1, "{report}");
    let text = told[0].what.to_string();
    assert!(text.contains("graceful::serve(..)") && text.contains("ctx.ready()"), "{text}");
    assert_about(told[0].at, ms(10_000));
}
