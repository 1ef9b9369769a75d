#[graceful::health_check(on = "ready")]
async fn db() {}

fn main() {}
