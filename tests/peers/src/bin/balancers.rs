//! Measures rolling restarts behind each balancer, and prints the tables of `docs/balancers.md`:
//! `cargo build -p graceful-tests-peers --bins && target/debug/balancers 10` for ten rounds, each of three restarts.

use graceful_tests_peers::{Configuration, Copy, failed, rolling_restarts};
use std::{io, time::Duration};

/// The configuration, the copies behind it, the seconds from one restart to the next, and all of it in words.
const RUNS: [(Configuration, Copy, u64, &str); 6] = [
    (Configuration::HaProxy, Copy::Graceful, 0, "HAProxy, `haproxy.cfg`"),
    (Configuration::Nginx, Copy::Graceful, 0, "nginx, `nginx.conf`"),
    (Configuration::NginxDefault, Copy::Graceful, 0, "nginx, `nginx-default.conf`"),
    (Configuration::NginxDefault, Copy::Graceful, 12, "nginx, `nginx-default.conf`, 12 s between restarts"),
    (Configuration::Nginx, Copy::Plain, 0, "nginx, `nginx.conf`, copies of axum alone"),
    (Configuration::NginxDefault, Copy::Plain, 0, "nginx, `nginx-default.conf`, copies of axum alone"),
];

fn main() -> io::Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(1), |rounds| rounds.parse()).map_err(io::Error::other)?;
    println!("| balancer and copies | restarts | requests | failed | how |\n|---|---|---|---|---|");
    let mut tables = String::new();
    for (configuration, copy, pause, name) in RUNS {
        if !configuration.is_installed() {
            continue;
        }
        let executable = std::env::current_exe()?.with_file_name(copy.executable());
        let outcome =
            rolling_restarts(configuration, copy, executable.as_os_str(), rounds, Duration::from_secs(pause))?;
        let sent: u64 = outcome.counts.values().map(|count| count.sent).sum();
        let (mut how, mut cells) = (Vec::new(), Vec::new());
        for (kind, count) in &outcome.counts {
            how.extend(count.failed.iter().map(|(reason, times)| format!("{times} of {}: {reason}", kind.name())));
            cells.push(format!("{} of {}", count.failed.values().sum::<u64>(), count.sent));
        }
        let how = if how.is_empty() { "-".to_owned() } else { how.join("; ") };
        println!("| {name} | {} | {sent} | {} | {how} |", 3 * rounds, failed(&outcome.counts));
        if tables.is_empty() {
            let kinds: Vec<_> = outcome.counts.keys().map(|kind| kind.name()).collect();
            tables = format!("| failed | {} |\n|---|{}\n", kinds.join(" | "), "---|".repeat(kinds.len()));
        }
        tables += &format!("| {name} | {} |\n", cells.join(" | "));
    }
    println!("\n{tables}");
    Ok(())
}
