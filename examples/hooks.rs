//! Hooks run after the drain, in ascending `order`; hooks of the same order run concurrently. Each has a deadline.
//!
//! One hook fails and one hangs, so the process exits with code 3 and reports both.

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

/// Runs concurrently with `flush_orders`, which has the same order. A sync function runs on a thread that may block.
#[graceful::shutdown_hook(order = 2)]
fn flush_logs(context: graceful::HookContext) {
    println!("flushing logs after {}, {:?} left", context.cause(), context.remaining());
}

/// Times out after half a second; the following hooks still run.
#[graceful::shutdown_hook(order = 3, timeout = "500ms")]
async fn close_pool() {
    std::future::pending().await
}

#[graceful::shutdown_hook(order = 4, name = "final message")]
async fn last() {
    println!("all hooks ran");
}

#[graceful::main(grace = "1s")]
async fn main(ctx: graceful::Context) {
    ctx.on_shutdown(4, "close the file", || async { println!("closed the file") });
    ctx.ready();
    println!("press Ctrl-C");
    ctx.draining().await;
}
