#[graceful::health_check(timeout = "30s")]
async fn db() {}

fn main() {}
