//! A sample of the fault matrix: each fault and each moment at least once.
#![allow(clippy::unwrap_used)]

use graceful_faults::{
    batch::{Job, Results, run_all},
    fault::Fault,
    matrix,
    moment::Moment,
    random,
};
use std::path::Path;

const APP: &str = env!("CARGO_BIN_EXE_graceful-faults");

/// How many cells run at a time: they wait most of the time.
const AT_A_TIME: usize = 6;

/// The faults that need more than every Linux system has: libfaketime, and the right to create PID namespaces.
const SPECIAL: &[Fault] = &[Fault::ClockJumps, Fault::Pid1, Fault::Pid1Init];

fn all_hold(jobs: &[Job]) -> Results {
    let results = run_all(jobs, Path::new(APP), AT_A_TIME, |_| {});
    println!("{results}");
    assert!(
        results.is_success(),
        "{results}\nrun one again with `cargo run -p graceful-faults --` and its arguments:\n{}",
        results.failures().join("\n")
    );
    let certain = jobs.iter().filter(|job| !job.cell.has_any(SPECIAL)).count();
    assert!(results.passed() >= certain, "{certain} cells need nothing special: {results}");
    results
}

#[test]
fn what_a_shutdown_promises_holds_with_each_fault() {
    let cells = matrix::sample();
    assert!(Fault::ALL.iter().all(|fault| cells.iter().any(|cell| cell.has(*fault))));
    assert!(Moment::ALL.iter().all(|moment| cells.iter().any(|cell| cell.moment == *moment)));
    let results = all_hold(&cells.into_iter().map(Job::of_matrix).collect::<Vec<_>>());
    assert_eq!(results.unconfirmed(), 0, "no other fault makes it impossible to confirm one: {results}");
}

#[test]
fn what_a_shutdown_promises_holds_with_random_faults() {
    let job = |seed| Job { cell: random::cell(seed), again: format!("--seed {seed}") };
    all_hold(&(1..=60).map(job).collect::<Vec<_>>());
}
