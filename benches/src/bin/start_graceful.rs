//! Reports the time of the first line of `main` under `#[graceful::main]`, with a health server, for `start_up`.

#[graceful::main]
async fn main() {
    graceful_benches::subject::report("main", graceful_benches::now());
}
