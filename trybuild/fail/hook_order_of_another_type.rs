#[graceful::shutdown_hook(order = 1u8)]
async fn flush() {}

fn main() {}
