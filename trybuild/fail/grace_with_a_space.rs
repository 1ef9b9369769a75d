#[graceful::main(grace = "5 s")]
async fn main() {}
