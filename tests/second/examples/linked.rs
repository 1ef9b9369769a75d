//! Names the second crate in its attribute and nowhere else: built in every profile by the tests of linking.

#[graceful::shutdown_hook(order = 1)]
async fn own() {}

#[graceful::main(hooks_from(second))]
async fn main() {}
