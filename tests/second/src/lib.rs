//! A library with shutdown hooks. Linking the crate registers them, without a call.

/// Closes the cache before the hooks of the app.
#[graceful::shutdown_hook(order = -5, timeout = "1s")]
pub async fn close_the_cache() {
    println!("the cache is closed");
}

mod pool {
    #[graceful::shutdown_hook(order = 50, name = "close the pool")]
    fn close() {
        println!("the pool is closed");
    }
}
