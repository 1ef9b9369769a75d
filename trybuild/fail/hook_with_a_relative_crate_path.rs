#[graceful::shutdown_hook(order = 1, crate = self::shutdown)]
async fn flush() {}

fn main() {}
