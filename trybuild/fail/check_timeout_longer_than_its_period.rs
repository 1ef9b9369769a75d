#[graceful::health_check(period = "2s", timeout = "3s")]
async fn db() {}

fn main() {}
