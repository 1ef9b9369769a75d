#[graceful::main(manifest = [concat!("a", ".yaml")])]
async fn main() {}
