#[graceful::shutdown_hook(order = 1)]
const fn flush() {}

fn main() {}
