#[graceful::shutdown_hook(order = 3_000_000_000)]
async fn flush() {}

fn main() {}
