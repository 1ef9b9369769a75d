//! Tests the README's first command: a rolling restart under load in which no request fails.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn a_rolling_restart_under_load_prints_every_timeline_and_fails_no_request() {
    let output = Command::new(env!("CARGO_BIN_EXE_demo")).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
    for replica in ["a", "b", "c", "d"] {
        for step in [&format!("SIGTERM to replica {replica}"), &format!("replica {replica} exited: exit status: 0")] {
            assert!(stdout.lines().any(|line| line.ends_with(step.as_str())), "`{step}`\n{stdout}");
        }
        let of_it = format!(" {replica} | ");
        for phase in ["serving: ready", "grace: after SIGTERM", "draining: ", "stopped"] {
            assert!(
                stdout.lines().any(|line| line.contains(&of_it) && line.contains(phase)),
                "{of_it}{phase}\n{stdout}"
            );
        }
    }
    let last = stdout.lines().last().unwrap();
    assert!(last.contains(": 0 failed; exit codes [0, 0, 0, 0]"), "{stdout}");
    let requests: u32 = last.split(' ').next().unwrap().parse().unwrap();
    assert!(requests > 1000, "{stdout}");
}
