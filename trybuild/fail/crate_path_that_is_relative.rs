#[graceful::main(crate = shutdown)]
async fn main() {}
