#[graceful::health_check(period = "2s")]
fn db<T>(pool: graceful::State<T>) {
    drop(pool);
}

fn main() {}
