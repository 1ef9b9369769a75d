async fn consume() -> std::io::Result<u64> {
    Ok(7)
}

#[graceful::main]
async fn main(ctx: graceful::Context) {
    ctx.supervise("consumer", graceful::OnFailure::Log, consume);
    ctx.draining().await;
}
