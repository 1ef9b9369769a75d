#[graceful::shutdown_hook(order = 1)]
extern "C" fn flush() {}

fn main() {}
