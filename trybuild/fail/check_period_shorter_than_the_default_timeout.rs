#[graceful::health_check(period = "500ms")]
async fn db() {}

fn main() {}
