async fn consume() -> ! {
    loop {
        std::future::pending::<()>().await;
    }
}

#[graceful::main]
async fn main(ctx: graceful::Context) {
    ctx.supervise("consumer", graceful::OnFailure::RESTART, consume);
    ctx.draining().await;
}
