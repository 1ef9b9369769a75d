#[graceful::health_check(crate = graceful)]
async fn db() {}

fn main() {}
