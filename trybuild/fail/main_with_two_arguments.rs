#[graceful::main]
async fn main(ctx: graceful::Context, config: u8) {
    let _ = (ctx, config);
}
