#[graceful::main(manifest = "deploy/tabs.yaml")]
async fn main() {}
