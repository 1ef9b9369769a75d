#[graceful::main(container = "app")]
async fn main() {}
