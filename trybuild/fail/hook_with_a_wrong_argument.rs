#[graceful::shutdown_hook(order = 1)]
async fn flush(count: u8) {
    let _ = count;
}

fn main() {}
