//! Does not name the library of its package, so that only its own hook is linked.

#[graceful::shutdown_hook(order = 1, timeout = "1s")]
fn only_hook() {
    println!("ran only_hook");
}

#[graceful::main]
async fn main() {}
