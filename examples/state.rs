//! Passes a value from `main` to a hook: `ctx.provide(..)` in `main`, `State<..>` in the hook.

use graceful::{Context, State};
use std::sync::atomic::{AtomicU64, Ordering};

/// A buffer of orders that must not be lost.
#[derive(Default)]
struct Orders {
    pending: AtomicU64,
}

impl Orders {
    fn take(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    async fn flush(&self) -> Result<u64, std::io::Error> {
        Ok(self.pending.swap(0, Ordering::Relaxed))
    }
}

#[graceful::shutdown_hook(order = 1, timeout = "3s")]
async fn flush_orders(orders: State<Orders>) -> Result<(), std::io::Error> {
    println!("flushed {} orders", orders.flush().await?);
    Ok(())
}

#[graceful::main(grace = "1s")]
async fn main(ctx: Context) {
    ctx.provide(Orders::default());
    // Any code with the context can read the state.
    if let Some(orders) = ctx.state::<Orders>() {
        (0..3).for_each(|_| orders.take());
    }
    ctx.ready();
    println!("press Ctrl-C");
    ctx.draining().await;
}
