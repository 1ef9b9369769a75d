#[graceful::main(signals = ["SIGTERM", "TERM", "SIGWINCH", "SIGTERM", SIGINT])]
async fn main() {}
