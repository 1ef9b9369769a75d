#[graceful::health_check]
async fn verfügbar() {}

fn main() {}
