#![deny(warnings)]

use std::time::Duration;

const GRACE: Duration = Duration::from_secs(3);

const fn scaled(factor: u64) -> Duration {
    Duration::from_millis(500 * factor)
}

#[graceful::main(grace = GRACE, drain = scaled(4), margin = { Duration::ZERO }, health = "off")]
async fn main() {}

mod orders {
    pub const LAST: i32 = 100;
}

#[graceful::shutdown_hook(order = orders::LAST - 1, timeout = super_short())]
fn leave() {}

const fn super_short() -> Duration {
    Duration::from_millis(10)
}
