#[graceful::shutdown_hook(order = 1, name = flush)]
async fn flush() {}

fn main() {}
