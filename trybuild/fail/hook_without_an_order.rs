#[graceful::shutdown_hook(timeout = "3s")]
async fn flush() {}

fn main() {}
