#[graceful::health_check(period = "1s", timeout = LONG)]
async fn db() {}

const LONG: std::time::Duration = std::time::Duration::from_secs(2);

fn main() {}
