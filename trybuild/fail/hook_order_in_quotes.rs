#[graceful::shutdown_hook(order = "1")]
async fn flush() {}

fn main() {}
