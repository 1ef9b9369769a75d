#[graceful::main(health = 80810)]
async fn main() {}
