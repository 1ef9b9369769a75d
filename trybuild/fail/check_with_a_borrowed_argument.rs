#[graceful::health_check]
fn db(pool: &graceful::State<u8>) -> bool {
    **pool > 0
}

fn main() {}
