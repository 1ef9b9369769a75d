//! Lifecycles with hooks and checks that are linked into this test's binary. Most require a state, so they run in the
//! test that provides the state and are skipped in the others.

use crate::{PLAN, assert_about, ms, outcome};
use graceful::{Builder, Cause, HookContext, HookOutcome, Plan, Ready, Report, State, What};
use graceful_tests::PATIENCE;
use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime, time::sleep};

/// Records of a hook: its context at the start, and whether it timed out.
struct Records(mpsc::Sender<(Cause, Duration)>);

/// A sync hook that ends once it has timed out.
#[graceful::shutdown_hook(order = 1, timeout = "300ms")]
fn copies_until_timeout(context: HookContext, records: State<Records>) {
    let record = || records.0.send((context.cause().clone(), context.remaining())).unwrap();
    record();
    let begun = Instant::now();
    while !context.is_given_up() {
        assert!(begun.elapsed() < PATIENCE, "the hook never times out");
        thread::sleep(ms(1)); // the next block of the copy
    }
    record();
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

/// The timeline's entries about checks, with their times.
fn about_checks(report: &Report) -> Vec<(Duration, String)> {
    let notes =
        report.entries.iter().filter(|entry| matches!(&entry.what, What::Note(note) if note.contains(" check ")));
    notes.map(|entry| (entry.at, entry.what.to_string())).collect()
}

#[tokio::test]
async fn a_sync_hook_sees_its_cause_deadline_and_timeout() {
    let (records, received) = mpsc::channel();
    let report = with_linked_hooks().run_here(|ctx| async move { ctx.provide(Records(records)) }).await.unwrap();
    let name = "copies_until_timeout";
    assert_eq!(outcome(&report, name), HookOutcome::TimedOut { limit: ms(300), started: true });
    assert_eq!(outcome(&report, "comes_after_them"), HookOutcome::Finished);
    let (cause, remaining) = received.recv().unwrap();
    assert!(cause == Cause::MainReturned && remaining <= ms(300) && !remaining.is_zero(), "{cause}, {remaining:?}");
    let (_, remaining) = received.recv().expect("the hook observes its timeout");
    assert_eq!(remaining, Duration::ZERO);
}

#[test]
fn a_sync_hook_without_an_available_thread_fails_and_the_others_run() {
    // A stack larger than the memory of any system, so the system refuses the thread.
    let runtime = runtime::Builder::new_current_thread().enable_all().thread_stack_size(1 << 60).build().unwrap();
    let report = runtime.block_on(with_linked_hooks().run_here(|_| async {})).unwrap();
    let failed = HookOutcome::Failed("the system gave no thread to run it on".into());
    assert_eq!(outcome(&report, "needs_a_thread"), failed);
    assert_eq!(outcome(&report, "needs_no_thread"), HookOutcome::Finished);
    assert_eq!(outcome(&report, "comes_after_them"), HookOutcome::Finished);
    assert_eq!(report.exit_code(), 3);
}

#[tokio::test(start_paused = true)]
async fn with_ready_on_start_checks_without_their_state_are_reported_once_after_ten_seconds() {
    let builder = with_linked_hooks().plan(Plan { ready: Ready::OnStart, ..PLAN });
    let report = builder.run_here(|_| sleep(ms(60_000))).await.unwrap();
    let entries = about_checks(&report);
    assert_eq!(entries.len(), 2, "{report}");
    for (check, (at, text)) in ["readiness check db", "startup check migrated"].into_iter().zip(&entries) {
        assert_about(*at, ms(10_000));
        assert!(text.starts_with(&format!("{check} (graceful-tests tests/tests/in_a_test/linked.rs:")), "{text}");
        assert!(text.contains("no `in_a_test::linked::Database` was provided"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_ready_on_start_the_state_of_checks_may_be_provided_later() {
    let builder = with_linked_hooks().plan(Plan { ready: Ready::OnStart, ..PLAN });
    let main = |ctx: graceful::Context| async move {
        sleep(ms(9_000)).await;
        ctx.provide(Database);
        sleep(ms(51_000)).await;
    };
    let report = builder.run_here(main).await.unwrap();
    assert_eq!(about_checks(&report), [], "{report}");
}
