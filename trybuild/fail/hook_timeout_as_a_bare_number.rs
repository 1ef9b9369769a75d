#[graceful::shutdown_hook(order = 1, timeout = 3)]
async fn flush() {}

fn main() {}
