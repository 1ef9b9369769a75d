#[graceful::shutdown_hook(order = 1)]
unsafe fn flush() {}

fn main() {}
