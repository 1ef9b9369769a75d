//! A check whose state is never provided.

struct Database;

#[graceful::health_check(name = "db")]
async fn ping(_: graceful::State<Database>) {}

#[graceful::shutdown_hook(order = 1)]
async fn last_words() {
    graceful_tests::stage::print_line("the hook has run");
}

#[graceful::main(grace = "10s")]
async fn main(ctx: graceful::Context) {
    ctx.ready();
    ctx.draining().await;
}
