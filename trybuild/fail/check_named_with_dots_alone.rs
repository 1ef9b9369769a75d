#[graceful::health_check(name = "..")]
async fn db() {}

fn main() {}
