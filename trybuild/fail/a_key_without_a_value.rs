#[graceful::main(grace)]
async fn main() {}
