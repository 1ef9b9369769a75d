#[graceful::health_check]
async fn db() -> u8 {
    7
}

fn main() {}
