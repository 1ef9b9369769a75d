#[graceful::health_check(failures = MANY)]
async fn db() {}

fn main() {}
