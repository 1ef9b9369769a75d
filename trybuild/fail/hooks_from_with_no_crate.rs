#[graceful::main(hooks_from())]
async fn main() {}
