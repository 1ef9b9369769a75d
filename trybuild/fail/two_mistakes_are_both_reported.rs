#[graceful::main(grace = "5", drian = "2s")]
async fn main() {}
