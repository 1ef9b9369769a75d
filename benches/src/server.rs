//! The servers under test: the same service, runtime and socket options; only who leads the connections differs.

use crate::{Result, now, processor_time, subject};
use bytes::Bytes;
use graceful::{Builder, Flavor, Health, Plan};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{convert::Infallible, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
};

/// Who leads the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `graceful::serve`.
    Graceful,
    /// A loop that spawns hyper's connection for each accept, and nothing else: the base of every comparison.
    Bare,
    /// The same with hyper's `header_read_timeout`, which is inert without a timer, and which users should set.
    BareTimeout,
    /// The same with every connection watched by hyper-util's `GracefulShutdown`.
    HyperUtil,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Graceful, Self::Bare, Self::BareTimeout, Self::HyperUtil];

    /// Its name in arguments and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Graceful => "graceful",
            Self::Bare => "bare",
            Self::BareTimeout => "bare-timeout",
            Self::HyperUtil => "hyper-util",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How often one may ask the server for the bytes that it holds; only programs that count them answer.
pub type Held = fn() -> usize;

async fn answer(request: Request<Incoming>, held: Held) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.uri().path() {
        "/held" => Bytes::from(held().to_string()),
        _ => Bytes::from_static(b"hello\n"),
    };
    Ok(Response::new(Full::new(body)))
}

/// A service that all kinds serve alike; a macro, as its type has no name.
macro_rules! service {
    ($held:expr) => {
        service_fn(move |request| answer(request, $held))
    };
}

/// Runs a server as the whole process, until SIGTERM. It prints its address, and when it has drained the time and its processor time.
///
/// # Errors
/// The runtime or the socket.
pub fn run(kind: Kind, flavor: Flavor, held: Held) -> Result {
    with_a_second_thread();
    if kind == Kind::Graceful {
        let plan = Plan { grace: Duration::ZERO, health: Health::Off, ..Plan::DEFAULT };
        Builder::new().plan(plan).flavor(flavor).run(|_| async move {
            graceful::serve(bind().await?, service!(held)).await?;
            say_drained();
            Ok::<_, std::io::Error>(())
        });
        return Ok(());
    }
    let mut runtime = match flavor {
        Flavor::CurrentThread => tokio::runtime::Builder::new_current_thread(),
        Flavor::MultiThread => tokio::runtime::Builder::new_multi_thread(),
    };
    runtime.enable_all().build()?.block_on(async move {
        let listener = bind().await?;
        match kind {
            Kind::HyperUtil => watched(listener, held).await,
            _ => bare(listener, kind == Kind::BareTimeout, held).await,
        }
    })
}

/// Every process has a second thread, as every process with a pool of workers or of blocking threads has, and
/// `graceful` with its control thread: glibc's system calls take a shorter way where there is only one, by 47
/// instructions each, which would be counted for or against nobody's way of serving.
pub fn with_a_second_thread() {
    std::thread::spawn(|| {
        loop {
            std::thread::park()
        }
    });
}

fn say_drained() {
    let (now, spent) = (now(), processor_time());
    subject::say("drained", now);
    subject::say("spent", spent);
}

/// A listener on a free port, which the benchmark is told.
///
/// # Errors
/// The socket.
pub async fn bind() -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    subject::say("port", listener.local_addr()?.port().into());
    Ok(listener)
}

fn without_delay(stream: TcpStream) -> TokioIo<TcpStream> {
    // As `serve` does it: an answer goes out when it is written.
    let _ = stream.set_nodelay(true);
    TokioIo::new(stream)
}

async fn bare(listener: TcpListener, timeout: bool, held: Held) -> Result {
    let mut http1 = http1::Builder::new();
    if timeout {
        http1.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10));
    }
    let service = service!(held);
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            biased;
            _ = terminate.recv() => return Ok(()),
            accepted = listener.accept() => {
                tokio::spawn(http1.serve_connection(without_delay(accepted?.0), service).with_upgrades());
            }
        }
    }
}

async fn watched(listener: TcpListener, held: Held) -> Result {
    let (http1, service, graceful) = (http1::Builder::new(), service!(held), GracefulShutdown::new());
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            biased;
            _ = terminate.recv() => break,
            accepted = listener.accept() => {
                let connection = http1.serve_connection(without_delay(accepted?.0), service);
                tokio::spawn(graceful.watch(connection));
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
    say_drained();
    Ok(())
}
