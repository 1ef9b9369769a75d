#[graceful::main]
async fn main(ctx: &graceful::Context) {
    let _ = ctx;
}
