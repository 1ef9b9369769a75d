#[graceful::main(quiet = 1, grace_limit = "10s")]
async fn main() {}
