//! Hooks of every kind. The environment variable with a hook's name selects its behavior: `fail`, `panic`, `hang`,
//! `block` its thread, or success.

use graceful::{HookContext, State};
use graceful_tests::{
    stage::{env_var, print_line},
    subscriber,
};
use std::{sync::LazyLock, thread};
use tokio::sync::Barrier;

static BOTH: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));

struct Pool(&'static str);

#[derive(Debug)]
struct FlushError {
    details: String,
}

impl std::fmt::Display for FlushError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the disk is full{}", self.details)
    }
}

// The order in the code differs from the order at run time.
#[graceful::shutdown_hook(order = 9)]
async fn last() {
    print_line("hook last");
}

#[graceful::shutdown_hook(order = 3, timeout = "1s")]
fn archive(context: HookContext) {
    tracing::info!(target: "app", "archiving");
    print_line(format!("hook archive after {}, in time: {}", context.cause(), !context.is_given_up()));
    match env_var("ARCHIVE").as_str() {
        "panic" => panic!("the archive is on fire"),
        "block" => loop {
            thread::park();
        },
        _ => {}
    }
}

#[graceful::shutdown_hook(order = 1, timeout = "1s")]
async fn flush() -> Result<(), FlushError> {
    print_line("hook flush");
    tracing::info!(target: "app", "flushing");
    match env_var("FLUSH").as_str() {
        "fail" => Err(FlushError { details: String::new() }),
        // Clears the screen of a terminal that receives it.
        "fail at length" => Err(FlushError { details: format!("\x1b[2J\0{}", " block".repeat(1000)) }),
        "panic" => panic!("the flush is clogged"),
        "hang" => std::future::pending().await,
        "block" => loop {
            thread::park();
        },
        "register" => {
            graceful::context().on_shutdown(99, "too late", || async { print_line("hook too late") });
            Ok(())
        }
        _ => Ok(()),
    }
}

#[graceful::shutdown_hook(order = -1, name = "the first of all")]
fn first() {
    print_line("hook first");
}

/// Has the same order as `right`. Each waits for the other, so both end only if they run concurrently.
#[graceful::shutdown_hook(order = 2, timeout = "10s")]
async fn left() {
    BOTH.wait().await;
    print_line("hook left met right");
}

#[graceful::shutdown_hook(order = 2, timeout = "10s")]
async fn right() {
    BOTH.wait().await;
    print_line("hook right met left");
}

#[graceful::shutdown_hook(order = 4)]
async fn pool(pool: State<Pool>) {
    tokio::task::yield_now().await;
    print_line(format!("hook pool closes {}", pool.0));
}

#[graceful::main(grace = "200ms", drain = "2s")]
async fn main(ctx: graceful::Context) {
    subscriber::install_if_asked();
    ctx.on_shutdown(2, "between", || async { print_line("hook between") });
    ctx.on_shutdown(-7, "before all", || async { print_line("hook before all") });
    if env_var("POOL") != "none" {
        ctx.provide(Pool("the replaced one"));
        ctx.provide(Pool("seven connections"));
    }
    if env_var("BLOCKING_POOL") == "full" {
        // More than tokio has threads for.
        (0..600).for_each(|_| {
            drop(tokio::task::spawn_blocking(|| {
                loop {
                    thread::park()
                }
            }))
        });
    }
    ctx.ready();
    ctx.draining().await;
}
