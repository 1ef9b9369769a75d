#[graceful::main(grcae = "5s")]
async fn main() {}
