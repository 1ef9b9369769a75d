//! A library with shutdown hooks of its own. Nothing here is called by name: linking it is enough.

/// Closes the cache, before the app's own hooks.
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
