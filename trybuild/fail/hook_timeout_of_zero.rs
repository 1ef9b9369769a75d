#[graceful::shutdown_hook(order = 1, timeout = "0s")]
async fn flush() {}

fn main() {}
