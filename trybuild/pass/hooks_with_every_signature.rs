#![deny(warnings, missing_docs)]
#![forbid(unsafe_code)]
//! Sync and async hooks, with and without arguments and errors.

use graceful::{HookContext, State};

struct Pool(Vec<u8>);

struct Cache;

#[graceful::shutdown_hook(order = -1)]
fn sync() {}

#[graceful::shutdown_hook(order = 0, timeout = "1s")]
async fn asynchronous() {}

#[graceful::shutdown_hook(order = 1)]
fn fallible() -> Result<(), std::fmt::Error> {
    Ok(())
}

#[graceful::shutdown_hook(order = 2)]
async fn fallible_and_asynchronous() -> anyhow::Result<()> {
    Ok(())
}

#[graceful::shutdown_hook(order = 3)]
async fn with_the_context(context: HookContext) {
    let _ = context.remaining();
}

#[graceful::shutdown_hook(order = 3)]
fn with_state(pool: State<Pool>) {
    assert_eq!(pool.0.len(), 2);
}

#[graceful::shutdown_hook(order = 4, name = "everything")]
async fn with_state_and_context_and_state(
    pool: State<Pool>,
    context: graceful::HookContext,
    _: graceful::State<Cache>,
) -> Result<(), String> {
    let _ = (pool, context);
    Ok(())
}

#[graceful::shutdown_hook(order = 5)]
fn with_context_and_state(mut context: HookContext, _pool: State<Pool>) {
    context = context.clone();
    drop(context);
}

#[graceful::shutdown_hook(order = 6)]
#[cfg(any())]
fn configured_away(missing: Missing) {}

#[graceful::shutdown_hook(order = 7)]
#[cfg(unix)]
#[allow(non_snake_case)]
#[inline(never)]
pub(crate) fn WithAttributes() {}

#[graceful::shutdown_hook(order = 8)]
async fn r#async() {}

#[graceful::shutdown_hook(order = 9)]
fn start() {}

#[graceful::main(health = "off")]
async fn main(ctx: graceful::Context) {
    ctx.provide(Pool(vec![1, 2]));
    ctx.provide(Cache);
    // A hook remains callable.
    sync();
    asynchronous().await;
}
