#[graceful::health_check(period = NEVER, timeout = NEVER)]
async fn db() {}

const NEVER: std::time::Duration = std::time::Duration::ZERO;

fn main() {}
