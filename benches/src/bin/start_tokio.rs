//! The first line of `main` under `#[tokio::main]`, for `start_up`.

#[tokio::main]
async fn main() {
    graceful_benches::subject::say("main", graceful_benches::now());
}
