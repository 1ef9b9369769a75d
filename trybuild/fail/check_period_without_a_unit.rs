#[graceful::health_check(period = "2", timeout = 1)]
async fn db() {}

fn main() {}
