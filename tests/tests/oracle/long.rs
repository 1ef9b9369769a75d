//! The generated scripts of the oracle suite, for a given time:
//! `cargo run --release -p graceful-tests --features oracle --example oracle -- --seconds 3600 [--seed N] [--threads N]`.
//!
//! A failure is printed with its seed, which finds it again, and ends the run with status 1.
#![allow(clippy::unwrap_used, dead_code, reason = "the modules are those of the test suite, which uses all of them")]

mod compare;
mod differences;
mod driver;
mod generated;
mod handler;
mod heads;
mod process;
mod recording;
mod request;
mod run;
mod script;
mod settings;
mod silence;
mod transport;

use std::{
    env,
    process::ExitCode,
    thread,
    time::{Duration, Instant, SystemTime},
};

const USAGE: &str = "usage: oracle --seconds N [--seed N] [--threads N]";

fn main() -> ExitCode {
    let mut given = env::args().skip(1);
    let (mut seconds, mut seed, mut threads) = (None, None, None);
    while let Some(name) = given.next() {
        let slot = match name.as_str() {
            "--seconds" => &mut seconds,
            "--seed" => &mut seed,
            "--threads" => &mut threads,
            _ => return usage(&format!("{name} is unknown")),
        };
        match given.next().map(|value| value.parse::<u64>()) {
            Some(Ok(number)) => *slot = Some(number),
            _ => return usage(&format!("{name} takes a number")),
        }
    }
    let Some(seconds) = seconds else { return usage("--seconds is missing") };
    let clock = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    let seed = seed.unwrap_or_else(clock);
    let threads = threads.map_or_else(|| thread::available_parallelism().map_or(2, usize::from), |all| all as usize);
    println!("seed {seed}, {threads} threads, {seconds} s");
    let (began, length) = (Instant::now(), Duration::from_secs(seconds));
    let goes_on = |_| (began.elapsed() < length).then_some(generated::BLOCK);
    let (failed, ran) = generated::run_blocks(seed, threads, goes_on);
    let took = began.elapsed().as_secs_f64();
    println!("{ran} cases in {took:.0} s, {:.0} a second, {} failed", ran as f64 / took, failed.len());
    failed.iter().for_each(|problem| println!("\n{problem}"));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage(problem: &str) -> ExitCode {
    eprintln!("{problem}\n{USAGE}");
    ExitCode::from(2)
}
