#[graceful::main(hooks_from = "libdb")]
async fn main() {}
