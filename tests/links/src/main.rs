//! Builds the programs in every configuration, and prints a table in Markdown. Exits with 1 if a program differs from
//! its sources. Arguments select the configurations whose name contains one of them.

use graceful_links::{
    configuration::ALL,
    programs::{self, Outcome},
};
use std::{env, process::ExitCode, time::Instant};

fn main() -> ExitCode {
    let parts: Vec<_> = env::args().skip(1).collect();
    let is_selected = |name: &str| parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()));
    let mut failed = false;
    println!("| configuration | lib + bin + third crate | lib not named | cdylib | seconds |\n|---|---|---|---|---|");
    for configuration in ALL.iter().filter(|configuration| is_selected(configuration.name)) {
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
