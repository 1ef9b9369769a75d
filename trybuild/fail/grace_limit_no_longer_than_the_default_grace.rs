#[graceful::main(quiet = "1s", grace_limit = "5s")]
async fn main() {}
