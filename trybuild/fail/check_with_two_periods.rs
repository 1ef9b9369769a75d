#[graceful::health_check(period = "2s", failures = 1, period = "3s")]
async fn db() {}

fn main() {}
