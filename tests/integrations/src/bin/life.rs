//! A life without a server, whose plan the environment sets where the attribute would: for init, heartbeat and systemd.

use graceful::{Builder, Context, Plan, Signal};
use graceful_tests::stage::{self, directed, say};
use std::{
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

fn main() -> ExitCode {
    let plan = Plan {
        grace: Duration::from_millis(200),
        drain: Duration::from_secs(2),
        liveness_heartbeat: directed("HEARTBEAT_MS").parse().ok().map(Duration::from_millis),
        init: directed("INIT") == "yes",
        ..Plan::DEFAULT
    };
    let signals: &[_] = match directed("SIGNALS").as_str() {
        "hangup and user 1" => &[Signal::Hangup, Signal::User1],
        _ => &[Signal::Interrupt, Signal::Terminate],
    };
    Builder::new().plan(plan).signals(signals).name("life").worker_threads(2).run(life)
}

async fn life(ctx: Context) -> ExitCode {
    let gate = stage::direct(&ctx, 2);
    say(format!("pid {}", std::process::id()));
    match directed("LIFE").as_str() {
        "connect" => {
            say("connecting");
            ctx.terminating().await;
            gate.passed().await;
            return ExitCode::SUCCESS;
        }
        "return 7" => return ExitCode::from(7),
        "killed" => {
            // As the kernel does when memory is out.
            let kill = format!("kill -KILL {}", std::process::id());
            let _ = Command::new("sh").args(["-c", &kill]).status();
        }
        "orphan" => orphan().await,
        _ => {}
    }
    ctx.ready();
    ctx.draining().await;
    ExitCode::SUCCESS
}

/// A process whose parent has ended, and that has ended itself: gone from /proc once it has been reaped.
async fn orphan() {
    let parent = Command::new("sh").args(["-c", "sleep 0.05 >&- & echo $!"]).stdout(Stdio::piped()).output();
    let number = parent.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    say(format!("orphan {number}"));
    while Path::new("/proc").join(&number).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    say("the orphan was reaped");
}
