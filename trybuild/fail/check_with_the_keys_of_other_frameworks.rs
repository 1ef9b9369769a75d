#[graceful::health_check(interval = "2s", failure_threshold = 3, kind = "readiness")]
async fn db() {}

fn main() {}
