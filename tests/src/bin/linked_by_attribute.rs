//! Names the second crate in the attribute only.

#[graceful::shutdown_hook(order = 1, timeout = "2s")]
async fn own() {
    println!("the app's own hook has run");
}

#[graceful::main(hooks_from(second))]
async fn main() {}
