//! Hooks run after the drain: ascending `order`, equal orders together, each under its own deadline.
//!
//! This one has a hook that fails and one that hangs, so it exits with code 3 and says why.

use std::time::Duration;

#[graceful::shutdown_hook(order = 1, timeout = "3s")]
async fn deregister() {
    tokio::time::sleep(Duration::from_millis(20)).await;
    println!("deregistered from service discovery");
}

#[graceful::shutdown_hook(order = 2, timeout = "3s")]
async fn flush_orders() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("disk full"))
}

/// Beside `flush_orders`, as it has the same order. A sync function runs on the blocking pool.
#[graceful::shutdown_hook(order = 2)]
fn flush_logs(context: graceful::HookContext) {
    println!("flushing logs after {}, {:?} left", context.cause(), context.remaining());
}

/// Given up on after half a second; the next ones run all the same.
#[graceful::shutdown_hook(order = 3, timeout = "500ms")]
async fn close_pool() {
    std::future::pending().await
}

#[graceful::shutdown_hook(order = 4, name = "say goodbye")]
async fn last() {
    println!("goodbye");
}

#[graceful::main(grace = "1s")]
async fn main(ctx: graceful::Context) {
    ctx.on_shutdown(4, "close the file", || async { println!("closed the file") });
    ctx.ready();
    println!("press Ctrl-C");
    ctx.draining().await;
}
