struct Pool;

impl Pool {
    #[graceful::shutdown_hook(order = 1)]
    async fn close(&self) {}
}

fn main() {
    drop(Pool.close());
}
