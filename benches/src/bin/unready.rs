//! Time from SIGTERM to the first 503 on `/readyz`, with an idle runtime and with one whose workers are all blocked.
//!
//! Measured from just before `kill` to the receipt of the first 503, with a new connection for each probe.

use graceful::{Builder, Flavor, Health, Phase, Plan};
use graceful_benches::{Result, client, now, numbers, numbers::Samples, subject, subject::Subject};
use std::{env, net::SocketAddr, thread::sleep, time::Duration};

const ROUNDS: usize = 200;
const WORKERS: usize = 2;

fn main() -> Result {
    match env::args().nth(1).as_deref() {
        Some("free") => run_subject(false),
        Some("blocked") => run_subject(true),
        _ => return harness(),
    }
    Ok(())
}

fn run_subject(blocked: bool) {
    let plan = Plan { health: Health::Off, ..Plan::DEFAULT }; // GRACEFUL_HEALTH says where
    Builder::new().plan(plan).flavor(Flavor::MultiThread).worker_threads(WORKERS).run(move |ctx| async move {
        ctx.ready();
        while ctx.phase() != Phase::Serving {
            tokio::task::yield_now().await;
        }
        if blocked {
            for _ in 0..WORKERS {
                tokio::spawn(async { sleep(client::PATIENCE) });
            }
            // All workers and the thread of `main` are blocked before the signal arrives.
            sleep(Duration::from_millis(20));
            subject::report("blocked", 1);
            sleep(client::PATIENCE);
        }
        subject::report("blocked", 0);
        ctx.draining().await;
    });
}

fn harness() -> Result {
    for kind in ["free", "blocked"] {
        let mut times = Samples::default();
        for _ in 0..ROUNDS {
            times.add(round(kind)?);
        }
        println!("{}", times.line(&format!("SIGTERM to 503, runtime {kind}"), "ms"));
        numbers::at_most(&format!("SIGTERM to 503 at p99, runtime {kind}, ms"), times.percentile(0.99), 5.0);
    }
    Ok(())
}

fn round(kind: &str) -> Result<f64> {
    let health = SocketAddr::from(([127, 0, 0, 1], subject::free_port()?));
    let mut subject = Subject::start(subject::itself(&[kind])?.env("GRACEFUL_HEALTH", health.to_string()))?;
    subject.wait_for("blocked")?;
    if client::get(health, "/readyz")?.0 != 200 {
        return Err("not ready before the signal".into());
    }
    let sent = subject.terminate()?;
    while client::get(health, "/readyz")?.0 != 503 {}
    Ok((now() - sent) as f64 / 1e6)
}
