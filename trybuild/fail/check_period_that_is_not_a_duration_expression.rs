#[graceful::health_check(period = SECONDS)]
async fn db() {}

const SECONDS: u64 = 2;

fn main() {}
