#[graceful::main(grace = "5", signals = ["SIGKILL"])]
fn main<T>(ctx: graceful::Context, other: u8) {
    let _ = (ctx, other);
}
