//! Drain of 1,000 WebSockets: time from the first handler that observes the drain to the first hook, and to the exit of
//! the process.
//!
//! Each handler waits for the drain, sends Close and ends. Each client must receive the Close and a FIN, and no reset.

use axum::{
    Router,
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    response::Response,
    routing::get,
};
use graceful::{Builder, Context, Flavor, Health, Plan};
use graceful_benches::{Result, client, now, numbers::Samples, processor_time, server, subject, subject::Subject};
use std::{
    env,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

const SOCKETS: usize = 1_000;
const ROUNDS: usize = 21;
const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The time at which the first handler observed the drain.
static BEGUN: AtomicU64 = AtomicU64::new(u64::MAX);

#[graceful::shutdown_hook(order = 1)]
async fn hook() {
    let (drained, spent) = (now(), processor_time());
    subject::report("begun", BEGUN.load(Relaxed));
    subject::report("drained", drained);
    subject::report("spent", spent);
}

fn main() -> Result {
    if env::args().nth(1).as_deref() == Some("subject") {
        run_subject();
        return Ok(());
    }
    let [mut heard, mut drained, mut spent, mut exited] = <[Samples; 4]>::default();
    for _ in 0..ROUNDS {
        let mut subject = Subject::start(&mut subject::itself(&["subject"])?)?;
        let address = subject.address()?;
        let streams = (0..SOCKETS).map(|_| open(address)).collect::<Result<Vec<_>>>()?;
        let reader = thread::spawn(move || streams.into_iter().try_for_each(expect_close));
        let before = subject.processor_time()?;
        let sent = subject.terminate()?;
        let begun = subject.wait_for("begun")?;
        let first_hook = subject.wait_for("drained")?;
        spent.add((subject.wait_for("spent")? - before) as f64 / 1e6);
        let (status, exit) = subject.wait()?;
        reader.join().map_err(|_| "the reader panicked")??;
        if !status.success() {
            return Err(format!("the process ended with {status}").into());
        }
        heard.add((begun - sent) as f64 / 1e6);
        drained.add((first_hook - begun) as f64 / 1e6);
        exited.add((exit - begun) as f64 / 1e6);
    }
    println!("{}", heard.line("SIGTERM to the first handler", "ms"));
    println!("{}", drained.line("first handler to the first hook", "ms"));
    println!("{}", spent.line("processor time from SIGTERM to the first hook", "ms"));
    println!("{}", exited.line("first handler to the exit", "ms"));
    Ok(())
}

fn open(address: SocketAddr) -> Result<TcpStream> {
    let mut stream = client::connect(address)?;
    stream.write_all(UPGRADE)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    match head.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(stream),
        false => Err(String::from_utf8_lossy(&head).into()),
    }
}

/// Reads to the end of the connection and expects a Close frame without a reason.
fn expect_close(mut stream: TcpStream) -> Result {
    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    if received != [0x88, 0] { Err(format!("a socket received {received:?}").into()) } else { Ok(()) }
}

fn run_subject() {
    let plan = Plan { grace: Duration::ZERO, health: Health::Off, ..Plan::DEFAULT };
    Builder::new()
        .plan(plan)
        .flavor(Flavor::MultiThread)
        .worker_threads(2)
        .run(|_| async { graceful::axum::serve(server::bind().await?, Router::new().route("/", get(upgrade))).await });
}

async fn upgrade(upgrade: WebSocketUpgrade, ctx: Context) -> Response {
    upgrade.on_upgrade(|socket| talk(socket, ctx))
}

async fn talk(mut socket: WebSocket, ctx: Context) {
    ctx.draining().await;
    BEGUN.fetch_min(now(), Relaxed);
    // Fails only if the client disconnected.
    let _ = socket.send(Message::Close(None)).await;
}
