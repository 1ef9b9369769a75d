#[graceful::main(heartbeat = "10s", max_grace = "15s", quiet_period = "1s", tini = true)]
async fn main() {}
