#[graceful::main(unready = never)]
async fn main() {}
