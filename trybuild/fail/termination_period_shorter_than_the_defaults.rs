#[graceful::main(termination_grace_period = "10s")]
async fn main() {}
