#[graceful::health_check(name = "my db/1", on = "liveness")]
async fn db() {}

fn main() {}
