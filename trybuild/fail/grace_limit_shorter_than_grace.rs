#[graceful::main(grace = "8s", quiet = "1s", grace_limit = "4s")]
async fn main() {}
