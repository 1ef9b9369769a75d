//! Builds the programs in every configuration, and prints a table in Markdown. Exits with 1 if a program differs from
//! its sources.

use graceful_links::{
    configuration::ALL,
    programs::{self, Outcome},
};
use std::{process::ExitCode, time::Instant};

fn main() -> ExitCode {
    let mut failed = false;
    println!("| configuration | lib + bin + third crate | lib not named | cdylib | seconds |\n|---|---|---|---|---|");
    for configuration in &ALL {
        let began = Instant::now();
        let checks = [programs::check_linked, programs::check_unnamed, programs::check_plugin];
        let cells = checks.map(|check| check(configuration));
        let cells = cells.map(|result| match result {
            Ok(Outcome::AsWritten) => "as written",
            Ok(Outcome::Impossible) => "-",
            Err(problem) => {
                failed = true;
                eprintln!("{}: {problem}", configuration.name);
                "FAILED"
            }
        });
        println!("| {} | {} | {} |", configuration.name, cells.join(" | "), began.elapsed().as_secs());
    }
    ExitCode::from(u8::from(failed))
}
