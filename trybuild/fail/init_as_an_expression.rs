#[graceful::main(init = cfg!(unix))]
async fn main() {}
