//! Runs shutdowns with faults. The same program is the app that shuts down, if the harness starts it.

mod app;

use graceful_faults::{
    batch::{Job, run_all},
    matrix, random,
};
use std::{path::PathBuf, process::ExitCode};

const USAGE: &str = "usage: graceful-faults [--jobs N] COMMAND
  --matrix                      every fault at each of its moments on every runtime
  --sample                      each fault once
  --cell MOMENT FAULTS RUNTIME  one cell of the matrix; several faults are joined by +
  --random N [FIRST]            the shutdowns of N seeds, from FIRST on (1)
  --seed N                      the shutdown of one seed";

fn main() -> ExitCode {
    if std::env::var_os(app::SOCKET).is_some() {
        return app::main();
    }
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (at_a_time, command) = match arguments[..] {
        ["--jobs", jobs, ref command @ ..] => (jobs.parse().ok(), command),
        ref command => (Some(8), command),
    };
    let (Some(at_a_time), Some(jobs), Ok(executable)) = (at_a_time, jobs(command), std::env::current_exe()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    run_and_report(&jobs, executable, at_a_time)
}

/// The jobs of a command.
fn jobs(command: &[&str]) -> Option<Vec<Job>> {
    let seeds = |first: u64, count: u64| {
        let job = |seed| Job { cell: random::cell(seed), again: format!("--seed {seed}") };
        (first..first.saturating_add(count)).map(job).collect()
    };
    let of_matrix = |cells: Vec<_>| cells.into_iter().map(Job::of_matrix).collect();
    match *command {
        ["--matrix"] => Some(of_matrix(matrix::cells())),
        ["--sample"] => Some(of_matrix(matrix::sample())),
        ["--cell", moment, faults, runtime] => Some(of_matrix(vec![matrix::named(moment, faults, runtime)?])),
        ["--seed", seed] => Some(seeds(seed.parse().ok()?, 1)),
        ["--random", count] => Some(seeds(1, count.parse().ok()?)),
        ["--random", count, first] => Some(seeds(first.parse().ok()?, count.parse().ok()?)),
        _ => None,
    }
}

fn run_and_report(jobs: &[Job], executable: PathBuf, at_a_time: usize) -> ExitCode {
    let results = run_all(jobs, &executable, at_a_time, |failure| println!("FAILED {failure}\n"));
    println!("{results}");
    if results.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
