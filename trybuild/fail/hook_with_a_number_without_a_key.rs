#[graceful::shutdown_hook(1)]
async fn flush() {}

fn main() {}
