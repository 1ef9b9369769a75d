#[graceful::health_check]
struct Pool;

fn main() {}
