#[graceful::shutdown_hook(order = 1)]
fn flush(state: impl Sized) {
    drop(state);
}

fn main() {}
