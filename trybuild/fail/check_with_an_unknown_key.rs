#[graceful::health_check(critical = true)]
async fn db() {}

fn main() {}
