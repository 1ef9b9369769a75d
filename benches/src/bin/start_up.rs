//! Time from the start of a process to the first line of `main`: `#[graceful::main]` against `#[tokio::main]`, in pairs.
//!
//! Measured from just before `spawn` to the time that the first line of `main` reads. The programs are
//! `start_graceful`, which starts its health server, and `start_tokio`.

use graceful_benches::{Result, numbers, numbers::Samples, subject, subject::Subject};

const ROUNDS: usize = 200;

fn main() -> Result {
    let (mut ours, mut tokios) = (Samples::default(), Samples::default());
    for round in 0..ROUNDS + 10 {
        let (one, other) = if round % 2 == 0 {
            let one = start("start_graceful")?;
            (one, start("start_tokio")?)
        } else {
            let other = start("start_tokio")?;
            (start("start_graceful")?, other)
        };
        if round >= 10 {
            ours.add(one);
            tokios.add(other);
        }
    }
    let more = ours.differences(&tokios);
    println!("{}", ours.line("process start to main, graceful", "ms"));
    println!("{}", tokios.line("process start to main, tokio", "ms"));
    println!("{}", more.line("difference within a pair", "ms"));
    numbers::at_most("process start to main, median of differences, ms", more.median(), 1.0);
    numbers::at_most(
        "process start to main, difference of p90, ms",
        ours.percentile(0.9) - tokios.percentile(0.9),
        1.0,
    );
    Ok(())
}

fn start(program: &str) -> Result<f64> {
    let health = format!("0.0.0.0:{}", subject::free_port()?);
    let mut subject = Subject::start(subject::sibling(program)?.env("GRACEFUL_HEALTH", health))?;
    let begun = subject.wait_for("main")?;
    let started = subject.started;
    subject.wait()?;
    Ok((begun - started) as f64 / 1e6)
}
