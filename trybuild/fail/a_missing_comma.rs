#[graceful::main(grace = "5s" drain = "2s")]
async fn main() {}
