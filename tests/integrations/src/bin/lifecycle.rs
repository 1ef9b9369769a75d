//! A process without a server whose plan comes from environment variables, for init, heartbeat and systemd.

use graceful::{Builder, Context, Plan, Signal};
use graceful_tests::stage::{self, env_var, print_line};
use std::{
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

fn main() -> ExitCode {
    let plan = Plan {
        grace: Duration::from_millis(200),
        drain: Duration::from_secs(2),
        liveness_heartbeat: env_var("HEARTBEAT_MS").parse().ok().map(Duration::from_millis),
        init: env_var("INIT") == "yes",
        ..Plan::DEFAULT
    };
    let signals: &[_] = match env_var("SIGNALS").as_str() {
        "hangup and user 1" => &[Signal::Hangup, Signal::User1],
        _ => &[Signal::Interrupt, Signal::Terminate],
    };
    Builder::new().plan(plan).signals(signals).name("lifecycle").worker_threads(2).run(lifecycle)
}

async fn lifecycle(ctx: Context) -> ExitCode {
    let gate = stage::read_commands(&ctx, 2);
    print_line(format!("pid {}", std::process::id()));
    match env_var("MAIN").as_str() {
        "connect" => {
            print_line("connecting");
            ctx.terminating().await;
            gate.passed().await;
            return ExitCode::SUCCESS;
        }
        "return 7" => return ExitCode::from(7),
        "killed" => {
            // Like the kernel's OOM killer.
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

/// Creates an orphan that exits. It disappears from /proc once it is reaped.
async fn orphan() {
    let parent = Command::new("sh").args(["-c", "sleep 0.05 >&- & echo $!"]).stdout(Stdio::piped()).output();
    let number = parent.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    print_line(format!("orphan {number}"));
    while Path::new("/proc").join(&number).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    print_line("the orphan was reaped");
}
