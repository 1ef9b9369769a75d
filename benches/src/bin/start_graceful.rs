//! The first line of `main` under `#[graceful::main]`, with its health server, for `start_up`.

#[graceful::main]
async fn main() {
    graceful_benches::subject::say("main", graceful_benches::now());
}
