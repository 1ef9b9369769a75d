#[graceful::main(grace = 1.5s)]
async fn main() {}
