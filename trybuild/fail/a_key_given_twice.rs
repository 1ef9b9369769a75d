#[graceful::main(grace = "5s", drain = "2s", grace = "6s")]
async fn main() {}
