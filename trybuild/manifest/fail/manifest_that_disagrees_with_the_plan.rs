#[graceful::main(manifest = ["deploy/service.yaml", "deploy/drifted.yaml"], container = "app")]
async fn main() {}
