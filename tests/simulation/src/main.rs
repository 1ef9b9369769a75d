//! Runs many seeds, or one with a trace.

use graceful_simulation::{check, record::Shared, scenario::Scenario, silence::silence, tally::Tally};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::Instant,
};

const USAGE: &str = "usage: graceful-simulation [--seeds COUNT] [--from SEED] [--threads COUNT] | --seed SEED";

/// The options of the command line.
struct Options {
    seeds: u64,
    from: u64,
    threads: usize,
    seed: Option<u64>,
}

impl Options {
    fn of(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mut options = Self { seeds: 1000, from: 0, threads, seed: None };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            let number = value.parse().map_err(|_| format!("{name} {value}: not a number"))?;
            match name.as_str() {
                "--seeds" => options.seeds = number,
                "--from" => options.from = number,
                "--threads" => options.threads = number as usize,
                "--seed" => options.seed = Some(number),
                _ => return Err(format!("unknown option {name}")),
            }
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    let options = match Options::of(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let passed = match options.seed {
        Some(seed) => one(seed),
        None => many(&options),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one seed, and prints everything.
fn one(seed: u64) -> bool {
    println!("{:#?}", Scenario::of(seed));
    match check(seed, &Shared::tracing()) {
        Ok(tally) => println!("seed {seed} passes: {tally:?}"),
        Err(problems) => {
            println!("seed {seed} FAILS:\n  {}", problems.join("\n  "));
            return false;
        }
    }
    true
}

/// Runs seeds on several threads, and prints those that fail.
fn many(options: &Options) -> bool {
    silence();
    let began = Instant::now();
    let (next, failed) = (AtomicU64::new(options.from), AtomicBool::new(false));
    let end = options.from.saturating_add(options.seeds);
    let work = || {
        let mut total = Tally::default();
        loop {
            let seed = next.fetch_add(1, Relaxed);
            if seed >= end {
                return total;
            }
            match catch_unwind(AssertUnwindSafe(|| check(seed, &Shared::default()))) {
                Ok(Ok(tally)) => total.add(tally),
                Ok(Err(problems)) => {
                    failed.store(true, Relaxed);
                    println!("seed {seed} FAILS (--seed {seed} traces it):\n  {}", problems.join("\n  "));
                }
                Err(_) => {
                    failed.store(true, Relaxed);
                    println!("seed {seed} PANICS (--seed {seed} traces it)");
                }
            }
        }
    };
    let total = thread::scope(|scope| {
        let threads: Vec<_> = (0..options.threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut total = Tally::default();
        for thread in threads {
            total.add(thread.join().unwrap_or_default());
        }
        total
    });
    println!("{total:#?}\n{} seeds in {:.1?}", options.seeds, began.elapsed());
    !failed.load(Relaxed)
}
