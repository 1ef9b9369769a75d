#[graceful::health_check]
fn db(pool: impl Send) {
    drop(pool);
}

fn main() {}
