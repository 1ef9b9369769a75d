#[graceful::main(manifest = "deploy/app.yaml", container = "web")]
async fn main() {}
