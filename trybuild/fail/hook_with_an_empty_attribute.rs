#[graceful::shutdown_hook]
async fn flush() {}

fn main() {}
