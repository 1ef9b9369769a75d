#[graceful::main(grace_limit = "10s")]
async fn main() {}
