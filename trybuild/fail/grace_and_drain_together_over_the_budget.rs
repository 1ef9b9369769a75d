#[graceful::main(grace = "12s", drain = "20s", termination_grace_period = "30s")]
async fn main() {}
