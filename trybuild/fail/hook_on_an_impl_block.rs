#[graceful::shutdown_hook(order = 1)]
impl Pool {}

struct Pool;

fn main() {}
