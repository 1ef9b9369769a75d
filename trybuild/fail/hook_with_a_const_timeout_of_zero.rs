#[graceful::shutdown_hook(order = 1, timeout = NEVER)]
async fn flush() {}

fn main() {}

const NEVER: std::time::Duration = std::time::Duration::ZERO;
