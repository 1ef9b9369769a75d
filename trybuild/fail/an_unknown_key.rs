#[graceful::main(tls = "on")]
async fn main() {}
