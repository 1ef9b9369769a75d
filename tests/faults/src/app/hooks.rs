//! The hooks of the app. The environment selects the faults of two of them.

use super::wire::{block_for_ever, gate, limit_memory, say};
use graceful_tests::stage::env_var;

/// Tells that a hook has begun and, unless it panics or never gets there, that it has ended.
struct Told(&'static str);

impl Told {
    fn begin(name: &'static str) -> Self {
        say(&format!("hook {name} begins"));
        Self(name)
    }

    fn end(self) {
        say(&format!("hook {} ended", self.0));
    }
}

#[graceful::shutdown_hook(order = 1)]
async fn first() {
    let told = Told::begin("first");
    if !env_var("FAULTS_HOLD_HOOKS").is_empty() {
        gate("hooks").passed().await;
    }
    told.end();
}

#[graceful::shutdown_hook(order = 2, timeout = "1s")]
async fn faulty() -> Result<(), &'static str> {
    let told = Told::begin("faulty");
    match env_var("FAULTS_HOOK").as_str() {
        "hook-panics" => panic!("the hook panics"),
        "hook-hangs" => std::future::pending().await,
        "hook-blocks" => block_for_ever(),
        "hook-fails" => return Err("the queue is gone"),
        "hook-allocates" => {
            allocate();
            return Err("no memory is left");
        }
        _ => {}
    }
    told.end();
    Ok(())
}

#[graceful::shutdown_hook(order = 2, timeout = "1s")]
fn faulty_sync() {
    let told = Told::begin("faulty_sync");
    match env_var("FAULTS_SYNC_HOOK").as_str() {
        "sync-hook-panics" => panic!("the sync hook panics"),
        "sync-hook-blocks" => block_for_ever(),
        "stdout-closed" => println!("a line for a closed stdout"),
        _ => {}
    }
    told.end();
}

#[graceful::shutdown_hook(order = 3)]
async fn last() {
    let told = Told::begin("last");
    tokio::task::yield_now().await;
    told.end();
}

/// Allocates until the system refuses, with 64 MiB at most, and frees everything.
fn allocate() {
    limit_memory(64 << 20);
    let mut blocks: Vec<Vec<u8>> = Vec::with_capacity(1024);
    for size in [1 << 20, 1 << 16, 1 << 12] {
        loop {
            let mut block = Vec::new();
            if blocks.len() == blocks.capacity() || block.try_reserve_exact(size).is_err() {
                break;
            }
            blocks.push(block);
        }
    }
}
