#[graceful::main(manifest = "deploy/nowhere.yaml")]
async fn main() {}
