#[graceful::main(crate = "graceful")]
async fn main() {}
