#[graceful::main(grace = , drain = "2s")]
async fn main() {}
