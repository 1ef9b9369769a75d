#[graceful::health_check(failures = "5")]
async fn db() {}

fn main() {}
