#[graceful::main(quiet = "1s", grace_limit = LIMIT)]
async fn main() {}

const LIMIT: std::time::Duration = std::time::Duration::from_secs(4);
