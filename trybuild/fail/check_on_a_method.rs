struct Pool;

impl Pool {
    #[graceful::health_check(name = "db")]
    async fn is_up(&self) -> bool {
        true
    }
}

fn main() {
    drop(Pool.is_up());
}
