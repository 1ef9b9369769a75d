#[graceful::shutdown_hook(order = 1)]
fn flush(state: &graceful::State<u8>) {
    let _ = state;
}

fn main() {}
