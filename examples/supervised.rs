//! Supervised tasks: a failure restarts the first, shuts the process down for the second, and is logged for the third.

use graceful::{Context, OnFailure};
use std::{
    io,
    pin::pin,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::io::{AsyncBufReadExt, BufReader};

/// Loses its connection to the broker on every third message.
async fn consume(ctx: Context) -> io::Result<()> {
    static MESSAGES: AtomicU32 = AtomicU32::new(0);
    let mut terminating = pin!(ctx.terminating()); // a consumer stops at the signal: no load balancer routes to it
    loop {
        tokio::select! {
            () = &mut terminating => return Ok(()),
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
        let message = MESSAGES.fetch_add(1, Ordering::Relaxed);
        println!("message {message}");
        if message % 3 == 2 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
    }
}

/// Holds a lease until the user presses Enter or the process stops.
async fn lead(ctx: Context) -> Result<(), &'static str> {
    let mut stdin = BufReader::new(tokio::io::stdin()).lines();
    tokio::select! {
        () = ctx.terminating() => Ok(()),
        Ok(Some(_)) = stdin.next_line() => Err("the lease is lost"),
        else => Ok(()), // no stdin
    }
}

async fn warm_the_cache() -> Result<(), &'static str> {
    Err("no cache server")
}

#[graceful::main(grace = "1s")]
async fn main(ctx: Context) {
    let restart = OnFailure::Restart { first: Duration::from_millis(100), longest: Duration::from_secs(10) };
    let (consuming, leading) = (ctx.clone(), ctx.clone());
    ctx.supervise("consumer", restart, move || consume(consuming.clone()));
    ctx.supervise("leader election", OnFailure::Shutdown, move || lead(leading.clone()));
    ctx.supervise("cache warmer", OnFailure::Log, warm_the_cache);
    ctx.ready();
    println!("press Enter to lose the lease");
    ctx.draining().await;
}
