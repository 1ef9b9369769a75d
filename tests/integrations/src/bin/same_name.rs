//! Two checks with the same name.

mod primary {
    #[graceful::health_check(name = "db")]
    async fn ping() {}
}

mod replica {
    #[graceful::health_check(name = "db", on = "liveness")]
    async fn ping() {}
}

#[graceful::main]
async fn main() {
    graceful_tests::stage::print_line("main has begun");
}
