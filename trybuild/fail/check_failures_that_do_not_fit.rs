#[graceful::health_check(failures = 4_294_967_296)]
async fn db() {}

fn main() {}
