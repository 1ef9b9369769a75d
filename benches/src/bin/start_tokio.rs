//! Reports the time of the first line of `main` under `#[tokio::main]`, for `start_up`.

#[tokio::main]
async fn main() {
    graceful_benches::subject::report("main", graceful_benches::now());
}
