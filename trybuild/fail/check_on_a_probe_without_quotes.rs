#[graceful::health_check(on = liveness)]
async fn db() {}

fn main() {}
