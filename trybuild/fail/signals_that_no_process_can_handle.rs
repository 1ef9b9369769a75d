#[graceful::main(signals = ["SIGTERM", "SIGKILL", "SIGSTOP"])]
async fn main() {}
