//! Names its own library and the third crate in its attribute only. Runs until each check has run once.

use graceful::State;
use std::collections::BTreeSet;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

#[graceful::shutdown_hook(order = 1, timeout = "1s")]
fn app_hook() {
    println!("ran app_hook");
}

#[graceful::health_check]
fn app_check(ran: State<UnboundedSender<&'static str>>) -> bool {
    ran.send("app_check").is_ok()
}

#[graceful::main(hooks_from(links, third))]
async fn main(ctx: graceful::Context) {
    let (ran, mut checks) = unbounded_channel::<&str>();
    ctx.provide(ran);
    let mut seen = BTreeSet::new();
    while seen.len() < 3 {
        seen.extend(checks.recv().await);
    }
    seen.iter().for_each(|check| println!("ran {check}"));
}
