#[graceful::main(init = "true")]
async fn main() {}
