//! A line-based echo protocol. `stay` keeps the connection open, `panic` panics.

use graceful_tests::stage::{self, Gate, env_var, print_line};
use std::{pin::pin, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

async fn echo(stream: TcpStream, ctx: graceful::Context) -> std::io::Result<()> {
    let (mut stream, mut line, mut draining) = (BufReader::new(stream), String::new(), pin!(ctx.draining()));
    loop {
        tokio::select! {
            () = &mut draining => break,
            read = stream.read_line(&mut line) => if read? == 0 { return Ok(()) },
        }
        print_line(format!("received {}", line.trim()));
        match line.trim() {
            "stay" => std::future::pending().await,
            "panic" => panic!("the handler panics"),
            _ => stream.write_all(std::mem::take(&mut line).as_bytes()).await?,
        }
    }
    // Work after the drain begins.
    if let Some(gate) = ctx.state::<Arc<Gate>>().as_deref() {
        gate.passed().await;
    }
    stream.write_all(b"finished\n").await
}

#[graceful::shutdown_hook(order = 1)]
async fn last_words() {
    print_line("the hook has run");
}

#[graceful::main(grace = "300ms", drain = "1s")]
async fn main(ctx: graceful::Context) -> std::io::Result<()> {
    ctx.provide(stage::read_commands(&ctx, 1));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    print_line(format!("serving on {}", listener.local_addr()?));
    let limit = env_var("MAX_CONNECTIONS").parse().unwrap_or(usize::MAX);
    graceful::tcp::serve(listener, echo).max_connections(limit).await
}
