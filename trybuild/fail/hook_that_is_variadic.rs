#[graceful::shutdown_hook(order = 1)]
fn flush(_: ...) {}

fn main() {}
