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

mod another {
    use super::*;

    #[graceful::main(grace = GRACE, quiet = scaled(1), grace_limit = "4s", liveness_heartbeat = scaled(20))]
    pub async fn main() {}
}

mod a_third {
    use super::*;

    #[graceful::main(quiet = "500ms", grace_limit = scaled(11))]
    pub async fn main() {}
}

const _: [fn() -> std::process::ExitCode; 2] = [another::main, a_third::main];
