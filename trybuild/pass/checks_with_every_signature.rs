#![deny(warnings, missing_docs)]
#![forbid(unsafe_code)]
//! Sync and async checks, with and without arguments, with every return type.

use graceful::{Context, State};
use std::time::Duration;

struct Pool(Vec<u8>);

struct Cache;

#[graceful::health_check]
fn sync() {}

#[graceful::health_check()]
async fn asynchronous() {}

#[graceful::health_check(on = "liveness", period = "500ms", timeout = "500ms")]
fn yes_or_no() -> bool {
    true
}

#[graceful::health_check(on = "startup", failures = 4_294_967_295)]
async fn fallible() -> Result<(), std::fmt::Error> {
    Ok(())
}

#[graceful::health_check(failures = 1u32)]
async fn with_any_error() -> anyhow::Result<()> {
    anyhow::bail!("down")
}

#[graceful::health_check(name = "libdb.pool-1_A")]
async fn with_state_and_context_and_state(
    pool: State<Pool>,
    ctx: Context,
    _: graceful::State<Cache>,
) -> Result<(), String> {
    let _ = (pool.0.len(), ctx);
    Ok(())
}

const PERIOD: Duration = Duration::from_secs(3);

#[graceful::health_check(period = PERIOD, timeout = PERIOD)]
async fn with_const_durations(mut ctx: Context) -> bool {
    ctx = ctx.clone();
    ctx.phase() == graceful::Phase::Serving
}

#[graceful::health_check(period = { PERIOD.saturating_mul(2) })]
async fn with_a_const_period() {}

// Two checks call one function.
#[graceful::health_check(name = "migrated-at-start", on = "startup", failures = 60)]
#[graceful::health_check(name = "migrated", period = "1m")]
fn migrated() -> bool {
    true
}

#[graceful::health_check]
#[cfg(any())]
fn configured_away(missing: Missing) {}

#[graceful::health_check]
#[cfg(unix)]
#[allow(non_snake_case)]
#[inline(never)]
pub(crate) fn WithAttributes() {}

#[graceful::health_check]
async fn r#async() {}

mod module {
    #[graceful::health_check(name = "in-a-module")]
    fn start() {}
}

#[graceful::main(health = "off")]
async fn main(ctx: graceful::Context) {
    #[graceful::health_check(name = "in-a-function")]
    fn start() {}

    ctx.provide(Pool(vec![1, 2]));
    ctx.provide(Cache);
    // A check remains callable.
    sync();
    asynchronous().await;
    assert!(yes_or_no() && migrated());
}
