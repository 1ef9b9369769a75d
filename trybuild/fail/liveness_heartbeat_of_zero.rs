#[graceful::main(liveness_heartbeat = "0s")]
async fn main() {}
