#[graceful::main(quiet = "0s", grace_limit = "10s")]
async fn main() {}
