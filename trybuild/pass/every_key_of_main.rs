#![deny(warnings)]

#[graceful::main(
    grace = "3s",
    quiet = "1s",
    grace_limit = "20s",
    drain = "1.5s",
    termination_grace_period = "1m",
    pre_stop = "0s",
    margin = "500ms",
    health = "off",
    ready = "on-start",
    unready = "after-grace",
    liveness_heartbeat = "10s",
    signals = ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGINT"],
    flavor = "multi_thread",
    init = false,
    worker_threads = 2,
    max_blocking_threads = 8,
    hooks_from(anyhow),
    crate = ::graceful,
)]
async fn main(_: graceful::Context) {}

mod other_values {
    #[graceful::main(health = 9000, ready = "on-serve", unready = "never", init = true, flavor = "current_thread")]
    pub async fn main() {}
}

mod addresses {
    #[graceful::main(health = "10.0.0.1:9000")]
    pub async fn main() {}
}

const _: [fn() -> std::process::ExitCode; 2] = [other_values::main, addresses::main];
