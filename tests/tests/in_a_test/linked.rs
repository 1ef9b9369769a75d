//! Lives with hooks and checks that are linked into this test's binary. Most of them ask for a state, so that they do
//! something in the test that provides it, and are skipped in the others.

use crate::{PLAN, assert_about, ms, outcome};
use graceful::{Builder, Cause, HookContext, HookOutcome, Plan, Ready, Report, State, What};
use graceful_tests::PATIENCE;
use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime, time::sleep};

/// What a hook was told when it began, and then, once it was given up on.
struct Told(mpsc::Sender<(Cause, Duration)>);

/// A sync hook that ends when nobody waits for it any more.
#[graceful::shutdown_hook(order = 1, timeout = "300ms")]
fn copies_until_it_is_given_up(context: HookContext, told: State<Told>) {
    let tell = || told.0.send((context.cause().clone(), context.remaining())).unwrap();
    tell();
    let begun = Instant::now();
    while !context.is_given_up() {
        assert!(begun.elapsed() < PATIENCE, "nobody says that it was given up on");
        thread::sleep(ms(1)); // the next block
    }
    tell();
}

#[graceful::shutdown_hook(order = 2)]
fn needs_a_thread() {}

#[graceful::shutdown_hook(order = 2)]
async fn needs_no_thread() {
    sleep(ms(1)).await;
}

#[graceful::shutdown_hook(order = 3)]
async fn comes_after_them() {}

struct Database;

#[graceful::health_check(name = "db")]
async fn ping(_: State<Database>) {}

#[graceful::health_check(on = "startup")]
async fn migrated(_: State<Database>) {}

fn with_linked_hooks() -> Builder {
    Builder::for_tests().linked_hooks(true)
}

/// What was said about checks: when, and what.
fn about_checks(report: &Report) -> Vec<(Duration, String)> {
    let notes =
        report.entries.iter().filter(|entry| matches!(&entry.what, What::Note(note) if note.contains(" check ")));
    notes.map(|entry| (entry.at, entry.what.to_string())).collect()
}

#[tokio::test]
async fn a_sync_hook_knows_the_cause_and_its_deadline_and_hears_that_it_was_given_up_on() {
    let (told, heard) = mpsc::channel();
    let report = with_linked_hooks().run_here(|ctx| async move { ctx.provide(Told(told)) }).await.unwrap();
    let name = "copies_until_it_is_given_up";
    assert_eq!(outcome(&report, name), HookOutcome::TimedOut { limit: ms(300), started: true });
    assert_eq!(outcome(&report, "comes_after_them"), HookOutcome::Finished);
    let (cause, remaining) = heard.recv().unwrap();
    assert!(cause == Cause::MainReturned && remaining <= ms(300) && !remaining.is_zero(), "{cause}, {remaining:?}");
    let (_, remaining) = heard.recv().expect("it hears that it was given up on");
    assert_eq!(remaining, Duration::ZERO);
}

#[test]
fn a_sync_hook_for_which_the_system_has_no_thread_has_failed_and_stops_nobody() {
    // No system has the memory for such a stack, so it refuses the thread.
    let runtime = runtime::Builder::new_current_thread().enable_all().thread_stack_size(1 << 60).build().unwrap();
    let report = runtime.block_on(with_linked_hooks().run_here(|_| async {})).unwrap();
    let failed = HookOutcome::Failed("the system gave no thread to run it on".into());
    assert_eq!(outcome(&report, "needs_a_thread"), failed);
    assert_eq!(outcome(&report, "needs_no_thread"), HookOutcome::Finished);
    assert_eq!(outcome(&report, "comes_after_them"), HookOutcome::Finished);
    assert_eq!(report.exit_code(), 3);
}

#[tokio::test(start_paused = true)]
async fn checks_that_wait_for_a_state_in_a_process_that_is_ready_from_the_start_are_named_once_after_ten_seconds() {
    let builder = with_linked_hooks().plan(Plan { ready: Ready::OnStart, ..PLAN });
    let report = builder.run_here(|_| sleep(ms(60_000))).await.unwrap();
    let said = about_checks(&report);
    assert_eq!(said.len(), 2, "{report}");
    for (check, (at, text)) in ["readiness check db", "startup check migrated"].into_iter().zip(&said) {
        assert_about(*at, ms(10_000));
        assert!(text.starts_with(&format!("{check} (graceful-tests tests/tests/in_a_test/linked.rs:")), "{text}");
        assert!(text.contains("no `in_a_test::linked::Database` was provided"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_ready_from_the_start_may_provide_what_its_checks_wait_for_later() {
    let builder = with_linked_hooks().plan(Plan { ready: Ready::OnStart, ..PLAN });
    let main = |ctx: graceful::Context| async move {
        sleep(ms(9_000)).await;
        ctx.provide(Database);
        sleep(ms(51_000)).await;
    };
    let report = builder.run_here(main).await.unwrap();
    assert_eq!(about_checks(&report), [], "{report}");
}
