#[graceful::shutdown_hook(order = 1, name = "")]
async fn flush() {}

fn main() {}
