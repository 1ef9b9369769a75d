#[graceful::main(grace = "40s")]
async fn main() {}
