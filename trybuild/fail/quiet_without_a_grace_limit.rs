#[graceful::main(quiet = "1s")]
async fn main() {}
