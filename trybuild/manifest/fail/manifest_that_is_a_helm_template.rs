#[graceful::main(manifest = "deploy/template.yaml")]
async fn main() {}
