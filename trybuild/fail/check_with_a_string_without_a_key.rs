#[graceful::health_check("db")]
async fn db() {}

fn main() {}
