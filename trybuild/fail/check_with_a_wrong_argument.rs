#[graceful::health_check]
async fn db(count: u8) -> bool {
    count > 0
}

fn main() {}
