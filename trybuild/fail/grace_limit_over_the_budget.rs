#[graceful::main(quiet = "1s", grace_limit = "25s")]
async fn main() {}
