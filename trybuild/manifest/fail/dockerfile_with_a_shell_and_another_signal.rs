#[graceful::main(dockerfile = "deploy/shell.Dockerfile")]
async fn main() {}
