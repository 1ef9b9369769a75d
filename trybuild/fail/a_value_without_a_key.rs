#[graceful::main("5s")]
async fn main() {}
