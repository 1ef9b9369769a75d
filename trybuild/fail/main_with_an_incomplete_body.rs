#[graceful::main]
async fn main(ctx: graceful::Context) {
    let _ready = ctx.
}
