//! Time from the last response in flight to the first hook, and from the last hook to the exit of the process.
//!
//! The handler records the time just before it returns, so the first number includes writing the response and closing
//! the connection. The exit is the time at which `wait` returns in the parent.

use bytes::Bytes;
use graceful::{Builder, Health, Plan};
use graceful_benches::{Result, client, now, numbers, numbers::Samples, subject, subject::Subject};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use std::{
    convert::Infallible,
    env,
    io::Write,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

const ROUNDS: usize = 200;

static RESPONDED: AtomicU64 = AtomicU64::new(0);

#[graceful::shutdown_hook(order = 1)]
async fn first() {
    let begun = now();
    subject::report("to_hook", begun.saturating_sub(RESPONDED.load(Relaxed)));
}

#[graceful::shutdown_hook(order = 2)]
async fn last() {
    subject::report("over", now());
}

fn main() -> Result {
    if env::args().nth(1).as_deref() == Some("subject") {
        run_subject();
        return Ok(());
    }
    let (mut to_hook, mut to_exit) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        let mut subject = Subject::start(&mut subject::itself(&["subject"])?)?;
        let mut stream = client::connect(subject.address()?)?;
        stream.write_all(client::REQUEST)?;
        subject.wait_for("begun")?;
        subject.terminate()?;
        to_hook.add(subject.wait_for("to_hook")? as f64 / 1e6);
        let over = subject.wait_for("over")?;
        let (status, exited) = subject.wait()?;
        to_exit.add((exited - over) as f64 / 1e6);
        let (code, _) = client::exchange(&mut stream, b"")?;
        if !status.success() || code != 200 {
            return Err(format!("the response status was {code}, and the process ended with {status}").into());
        }
    }
    println!("{}", to_hook.line("last response to first hook", "ms"));
    println!("{}", to_exit.line("last hook to exit", "ms"));
    numbers::at_most("last response to first hook at p99, ms", to_hook.percentile(0.99), 2.0);
    numbers::at_most("last hook to exit at p99, ms", to_exit.percentile(0.99), 10.0);
    Ok(())
}

/// A handler that is in flight when the drain begins and ends shortly after.
async fn slow(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    subject::report("begun", 1);
    graceful::context().draining().await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    RESPONDED.store(now(), Relaxed);
    Ok(Response::new(Full::new(Bytes::from_static(b"hello\n"))))
}

fn run_subject() {
    let plan = Plan { grace: Duration::ZERO, health: Health::Off, ..Plan::DEFAULT };
    Builder::new().plan(plan).run(|_| async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        subject::report("port", listener.local_addr()?.port().into());
        graceful::serve(listener, service_fn(slow)).await
    });
}
