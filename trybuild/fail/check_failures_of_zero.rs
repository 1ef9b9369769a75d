#[graceful::health_check(failures = 0)]
async fn db() {}

fn main() {}
