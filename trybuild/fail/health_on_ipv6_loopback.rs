#[graceful::main(health = "[::1]:9000")]
async fn main() {}
