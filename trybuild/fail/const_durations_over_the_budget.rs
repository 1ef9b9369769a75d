#[graceful::main(grace = GRACE, drain = "20s")]
async fn main() {}

const GRACE: std::time::Duration = std::time::Duration::from_secs(10);
