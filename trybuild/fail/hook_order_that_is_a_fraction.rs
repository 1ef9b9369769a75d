#[graceful::shutdown_hook(order = 1.5)]
async fn flush() {}

fn main() {}
