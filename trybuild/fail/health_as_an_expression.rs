#[graceful::main(health = ADDRESS)]
async fn main() {}

#[allow(dead_code)]
const ADDRESS: &str = "[::]:8081";
