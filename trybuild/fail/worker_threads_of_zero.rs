#[graceful::main(worker_threads = 0, max_blocking_threads = "8")]
async fn main() {}
