//! The README's first command.

use crate::harness::{build, root, run};
use std::fs;

/// The arguments of `cargo graceful` in the first `cargo run` command of README.md.
fn arguments(page: &str) -> Vec<&str> {
    const START: &str = "\ncargo run --release -p cargo-graceful -- ";
    let (_, command) = page.split_once(START).expect("README.md has the command");
    let (command, _) = command.split_once("\n```").unwrap();
    command.split_whitespace().filter(|word| *word != "\\").collect()
}

#[test]
fn the_first_command_of_the_readme_restarts_every_replica_and_no_request_fails() {
    // Built first, because a cold build takes longer than the limit of a run.
    build(&["-p", "graceful-examples", "--bin", "orders"], "orders");
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let mut arguments = arguments(&page);
    arguments.extend(["--duration", "1s", "--propagation", "500ms", "-e", "GRACEFUL_GRACE=2s", "--json"]);
    let run = run(&arguments);
    assert_eq!(run.code, Some(0), "{arguments:?}: {run:?}");
    let report = run.json();
    assert_eq!((&report["verdict"], &report["requests"]["failed"]), (&"passed".into(), &0.into()), "{run:?}");
    let exit_codes: Vec<_> = report["shutdowns"].as_array().unwrap().iter().map(|one| &one["exit_code"]).collect();
    assert_eq!(exit_codes, [0; 3]);
    // The balancer, and each kind of client, had a part.
    assert!(report["long_clients"]["slow requests"]["succeeded"].as_u64() > Some(0), "{report:#}");
    assert!(report["connections"]["asked_to_reconnect"].as_u64() > Some(0), "{report:#}");
    assert_eq!(report["subject"]["clients"], "keep-alive, new-connections and http2");
}
