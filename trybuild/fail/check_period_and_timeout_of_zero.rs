#[graceful::health_check(period = "0s", timeout = "0s")]
async fn db() {}

fn main() {}
