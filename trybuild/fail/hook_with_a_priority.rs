#[graceful::shutdown_hook(priority = 1)]
async fn flush() {}

fn main() {}
