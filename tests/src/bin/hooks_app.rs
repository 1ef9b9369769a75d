//! Hooks of every kind; what each does is said by the environment variable of its name: `fail`, `panic`, `hang`,
//! `block` its thread, or nothing of the kind.

use graceful::{HookContext, State};
use graceful_tests::{
    stage::{directed, say},
    subscriber,
};
use std::{sync::LazyLock, thread};
use tokio::sync::Barrier;

static BOTH: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));

struct Pool(&'static str);

#[derive(Debug)]
struct FlushError;

impl std::fmt::Display for FlushError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the disk is full")
    }
}

// Out of order in the code, to be in order at run time.
#[graceful::shutdown_hook(order = 9)]
async fn last() {
    say("hook last");
}

#[graceful::shutdown_hook(order = 3, timeout = "1s")]
fn archive(context: HookContext) {
    tracing::info!(target: "app", "archiving");
    say(format!("hook archive after {}, in time: {}", context.cause(), !context.is_given_up()));
    match directed("ARCHIVE").as_str() {
        "panic" => panic!("the archive is on fire"),
        "block" => loop {
            thread::park();
        },
        _ => {}
    }
}

#[graceful::shutdown_hook(order = 1, timeout = "1s")]
async fn flush() -> Result<(), FlushError> {
    say("hook flush");
    tracing::info!(target: "app", "flushing");
    match directed("FLUSH").as_str() {
        "fail" => Err(FlushError),
        "panic" => panic!("the flush is clogged"),
        "hang" => std::future::pending().await,
        "block" => loop {
            thread::park();
        },
        "register" => {
            graceful::context().on_shutdown(99, "too late", || async { say("hook too late") });
            Ok(())
        }
        _ => Ok(()),
    }
}

#[graceful::shutdown_hook(order = -1, name = "the first of all")]
fn first() {
    say("hook first");
}

/// The same order as `right`: each waits for the other, which ends only if both run at the same time.
#[graceful::shutdown_hook(order = 2, timeout = "10s")]
async fn left() {
    BOTH.wait().await;
    say("hook left met right");
}

#[graceful::shutdown_hook(order = 2, timeout = "10s")]
async fn right() {
    BOTH.wait().await;
    say("hook right met left");
}

#[graceful::shutdown_hook(order = 4)]
async fn pool(pool: State<Pool>) {
    tokio::task::yield_now().await;
    say(format!("hook pool closes {}", pool.0));
}

#[graceful::main(grace = "200ms", drain = "2s")]
async fn main(ctx: graceful::Context) {
    subscriber::install_if_asked();
    ctx.on_shutdown(2, "between", || async { say("hook between") });
    ctx.on_shutdown(-7, "before all", || async { say("hook before all") });
    if directed("POOL") != "none" {
        ctx.provide(Pool("the replaced one"));
        ctx.provide(Pool("seven connections"));
    }
    ctx.ready();
    ctx.draining().await;
}
