//! The servers under test. They have the same service, runtime and socket options, and differ in the code that drives
//! the connections.

use crate::{
    Result, now, processor_time,
    subject::{self, Subject},
};
use bytes::Bytes;
use graceful::{Builder, Flavor, Health, Plan};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{convert::Infallible, net::SocketAddr, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
};

/// The code that drives the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `graceful::serve`.
    Graceful,
    /// A loop that spawns hyper's connection for each accept and does nothing else: the baseline.
    Bare,
    /// `Bare` with hyper's `header_read_timeout` and the timer that it requires.
    BareTimeout,
    /// `Bare` with every connection watched by hyper-util's `GracefulShutdown`.
    HyperUtil,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Graceful, Self::Bare, Self::BareTimeout, Self::HyperUtil];

    /// The name in arguments and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Graceful => "graceful",
            Self::Bare => "bare",
            Self::BareTimeout => "bare-timeout",
            Self::HyperUtil => "hyper-util",
        }
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Returns the live bytes of the server's allocator, or 0 in benchmarks that don't count them.
pub type LiveBytes = fn() -> usize;

async fn respond(request: Request<Incoming>, live_bytes: LiveBytes) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.uri().path() {
        "/live-bytes" => Bytes::from(live_bytes().to_string()),
        _ => Bytes::from_static(b"hello\n"),
    };
    Ok(Response::new(Full::new(body)))
}

/// The service of all kinds. A macro, because its type can't be named.
macro_rules! service {
    ($live_bytes:expr) => {
        service_fn(move |request| respond(request, $live_bytes))
    };
}

/// Starts this executable as a server, and waits for its address.
///
/// # Errors
/// The process cannot be started, or reports no port.
pub fn start(kind: Kind, flavor: &str) -> Result<(Subject, SocketAddr)> {
    let mut subject = Subject::start(&mut subject::itself(&["serve", kind.name(), flavor])?)?;
    let address = subject.address()?;
    Ok((subject, address))
}

/// Runs as a server if the arguments of this process are `serve KIND FLAVOR`, as [`start`] sets them. Returns whether
/// they are.
///
/// # Errors
/// Those of the server.
pub fn run_if_requested(live_bytes: LiveBytes) -> Result<bool> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [command, kind, flavor] = &arguments[..] else { return Ok(false) };
    if command != "serve" {
        return Ok(false);
    }
    let flavor = if flavor == "current" { Flavor::CurrentThread } else { Flavor::MultiThread };
    run(Kind::named(kind).ok_or("no such kind of server")?, flavor, live_bytes)?;
    Ok(true)
}

/// Runs a server until SIGTERM. Reports its port and, after the drain, the time and its processor time.
fn run(kind: Kind, flavor: Flavor, live_bytes: LiveBytes) -> Result {
    spawn_second_thread();
    if kind == Kind::Graceful {
        let plan = Plan { grace: Duration::ZERO, health: Health::Off, ..Plan::DEFAULT };
        Builder::new().plan(plan).flavor(flavor).run(|_| async move {
            graceful::serve(bind().await?, service!(live_bytes)).await?;
            report_drained();
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
            Kind::HyperUtil => watched(listener, live_bytes).await,
            _ => bare(listener, kind == Kind::BareTimeout, live_bytes).await,
        }
    })
}

/// Spawns an idle second thread, because glibc's system calls take 47 instructions fewer in a process with one thread.
/// Processes with a thread pool and `graceful` with its control thread have several, so every server gets a second one.
pub fn spawn_second_thread() {
    std::thread::spawn(|| {
        loop {
            std::thread::park()
        }
    });
}

fn report_drained() {
    let (now, spent) = (now(), processor_time());
    subject::report("drained", now);
    subject::report("spent", spent);
}

/// Binds a listener to a free port and reports the port to the benchmark.
///
/// # Errors
/// The socket cannot be bound.
pub async fn bind() -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    subject::report("port", listener.local_addr()?.port().into());
    Ok(listener)
}

fn without_delay(stream: TcpStream) -> TokioIo<TcpStream> {
    // `serve` sets TCP_NODELAY too. An error only delays responses.
    let _ = stream.set_nodelay(true);
    TokioIo::new(stream)
}

async fn bare(listener: TcpListener, timeout: bool, live_bytes: LiveBytes) -> Result {
    let mut http1 = http1::Builder::new();
    if timeout {
        http1.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10));
    }
    let service = service!(live_bytes);
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

async fn watched(listener: TcpListener, live_bytes: LiveBytes) -> Result {
    let (http1, service, graceful) = (http1::Builder::new(), service!(live_bytes), GracefulShutdown::new());
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
    report_drained();
    Ok(())
}
