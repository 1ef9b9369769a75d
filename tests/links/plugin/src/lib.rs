//! A cdylib with a hook. It contains its own copy of `graceful`, with its own list of hooks.

use graceful::Builder;

#[graceful::shutdown_hook(order = 1, timeout = "1s")]
fn plugin_hook() {
    println!("ran plugin_hook");
}

/// Runs a lifecycle with the linked hooks of the cdylib, and returns its exit code.
#[allow(unsafe_code, reason = "no other symbol of the process has this name")]
#[unsafe(no_mangle)]
pub extern "C" fn run_the_plugin() -> u8 {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return 1 };
    let builder = Builder::for_tests().linked_hooks(true);
    runtime.block_on(builder.run_here(|_| async {})).map_or(1, |report| report.exit_code())
}
