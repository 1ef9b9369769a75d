#[graceful::main(drain = "99999999999999999999s")]
async fn main() {}
