#[graceful::shutdown_hook(order = 1, order = 2)]
async fn flush() {}

fn main() {}
