//! Two checks of one name.

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
    graceful_tests::stage::say("main has begun");
}
