#[graceful::shutdown_hook(order = 1)]
async fn flush() -> u8 {
    7
}

fn main() {}
