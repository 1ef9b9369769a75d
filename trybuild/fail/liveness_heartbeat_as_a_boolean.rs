#[graceful::main(liveness_heartbeat = true)]
async fn main() {}
