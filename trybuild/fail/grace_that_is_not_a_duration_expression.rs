#[graceful::main(grace = GRACE)]
async fn main() {}

const GRACE: u64 = 5;
