#[graceful::main(quiet = NEVER, grace_limit = "10s", liveness_heartbeat = NEVER)]
async fn main() {}

const NEVER: std::time::Duration = std::time::Duration::ZERO;
