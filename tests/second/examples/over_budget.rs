//! Hooks whose timeouts exceed the budget beside `drain`: the example compiles, and its generated test fails.

#[graceful::shutdown_hook(order = 1, timeout = "20s")]
async fn copy_everything() {}

#[graceful::main(hooks_from(second))]
async fn main() {}
