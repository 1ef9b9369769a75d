//! Names the second crate in its attribute only. The tests of linking build it in every profile.

#[graceful::shutdown_hook(order = 1)]
async fn own() {}

#[graceful::main(hooks_from(second))]
async fn main() {}
