//! Checks that hang, block, panic, or change their result.

use graceful::{Context, State};
use graceful_tests::stage::{self, Gate};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

#[graceful::health_check(period = "60ms", timeout = "50ms", failures = 1)]
async fn hangs() {
    std::future::pending().await
}

/// Blocks its thread until `release`.
#[graceful::health_check(period = "60ms", timeout = "50ms", failures = 2)]
fn blocks(gate: State<Arc<Gate>>) {
    gate.block_until_open();
}

#[graceful::health_check(on = "liveness", period = "60ms", timeout = "50ms", failures = 1)]
async fn panics() -> bool {
    panic!("the check panics")
}

/// Fails twice, then passes; the limit is three failures in a row.
#[graceful::health_check(name = "flaky-but.fine", period = "60ms", timeout = "50ms", failures = 3)]
async fn flaky(_: Context) -> Result<(), String> {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    match RUNS.fetch_add(1, Ordering::Relaxed) % 3 {
        2 => Ok(()),
        run => Err(format!("run {run}")),
    }
}

/// Has a long period: probes read its last result and never start it.
#[graceful::health_check(period = "1h", failures = 1)]
async fn costly() {
    stage::print_line("the costly check runs");
}

/// Waits until `main` provides its state.
#[graceful::health_check(on = "startup", period = "60ms", timeout = "50ms", failures = 1)]
async fn provided_late(_: State<Late>) {}

struct Late;

#[graceful::main(grace = "200ms", drain = "2s")]
async fn main(ctx: Context) {
    let gate = stage::read_commands(&ctx, 1);
    ctx.provide(gate.clone());
    tokio::select! {
        () = ctx.terminating() => return,
        () = gate.passed() => {}
    }
    ctx.provide(Late);
    ctx.ready();
    ctx.draining().await;
}
