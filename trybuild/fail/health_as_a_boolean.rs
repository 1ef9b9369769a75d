#[graceful::main(health = false)]
async fn main() {}
