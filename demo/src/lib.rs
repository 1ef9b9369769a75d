//! A load generator without retries, which would hide failed requests.
//!
//! A client reuses its connection until a response has `Connection: close`, a GOAWAY arrives, or the server closes the
//! idle connection; then the client opens a new one. Every other error is a failed request.

use http_body_util::{BodyExt, Empty};
use hyper::{
    Request,
    body::Bytes,
    client::conn::{http1, http2},
    header::HOST,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    collections::BTreeMap,
    error::Error,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{MissedTickBehavior, interval, timeout},
};

/// A request that takes longer counts as failed.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the address for the next connection. `None` if no replica is ready, which is a failure.
pub type Balancer = Arc<dyn Fn() -> Option<SocketAddr> + Send + Sync>;

/// The results of a load.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests sent.
    pub sent: AtomicU64,
    /// Connections opened.
    pub connections: AtomicU64,
    /// The number of failed requests by reason.
    pub failures: Mutex<BTreeMap<String, u64>>,
}

impl Counts {
    /// The number of failed requests.
    pub fn failed(&self) -> u64 {
        self.lock().values().sum()
    }

    /// Prints each reason with the number of requests that failed for it.
    pub fn print_failures(&self) {
        for (reason, count) in self.lock().iter() {
            println!("{count:>7}  {reason}");
        }
    }

    fn add_failure(&self, reason: String) {
        *self.lock().entry(reason).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a client uses its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// HTTP/1.1, one connection until the server closes it.
    KeepAlive,
    /// HTTP/1.1, a new connection for each request.
    NewConnections,
    /// HTTP/2, one connection until the server sends GOAWAY.
    Http2,
}

/// Runs one client until `stop`, with one request every `pace`.
pub async fn client(
    to: Balancer,
    path: String,
    kind: Kind,
    pace: Duration,
    counts: Arc<Counts>,
    stop: Arc<AtomicBool>,
) {
    let mut connection = None;
    let mut ticks = interval(pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        counts.sent.fetch_add(1, Ordering::Relaxed);
        let exchange = timeout(REQUEST_TIMEOUT, request(&to, &path, kind, &mut connection, &counts)).await;
        let reason = match exchange {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no response within {REQUEST_TIMEOUT:?}"),
        };
        connection = None;
        counts.add_failure(reason);
    }
}

type BoxError = Box<dyn Error + Send + Sync>;
type Body = Empty<Bytes>;

/// The sending half of a connection.
enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

async fn request(
    to: &Balancer,
    path: &str,
    kind: Kind,
    connection: &mut Option<Sender>,
    counts: &Counts,
) -> Result<(), BoxError> {
    let mut request = Request::get(format!("http://demo{path}"));
    if kind != Kind::Http2 {
        request = Request::get(path).header(HOST, "demo");
    }
    if kind == Kind::NewConnections {
        request = request.header("connection", "close");
    }
    let mut request = request.body(Empty::new())?;
    let (sender, response) = loop {
        let mut sender = match still_open(connection.take()).await {
            Some(sender) => sender,
            None => connect(to, kind, counts).await?,
        };
        let sent = match &mut sender {
            Sender::Http1(sender) => sender.try_send_request(request).await,
            Sender::Http2(sender) => sender.try_send_request(request).await,
        };
        match sent {
            Ok(response) => break (sender, response),
            // Not a retry: the server closed the connection before the client sent a byte of the request.
            Err(mut error) => match error.take_message() {
                Some(unsent) => request = unsent,
                None => return Err(with_causes(error.into_error()).into()),
            },
        }
    };
    let is_kept = response.headers().get("connection").is_none_or(|value| value != "close");
    if !response.status().is_success() {
        return Err(format!("status {}", response.status()).into());
    }
    response.into_body().collect().await.map_err(with_causes)?;
    *connection = Some(sender).filter(|_| is_kept && kind != Kind::NewConnections);
    Ok(())
}

/// Returns the kept connection unless the server closed it while idle.
async fn still_open(kept: Option<Sender>) -> Option<Sender> {
    let mut sender = kept?;
    match &mut sender {
        Sender::Http1(sender) => sender.ready().await.ok()?,
        Sender::Http2(sender) => sender.ready().await.ok()?,
    }
    Some(sender)
}

async fn connect(to: &Balancer, kind: Kind, counts: &Counts) -> Result<Sender, BoxError> {
    let address = to().ok_or("no replica is ready")?;
    let stream = TcpStream::connect(address).await.map_err(|error| format!("connect: {error}"))?;
    stream.set_nodelay(true)?;
    counts.connections.fetch_add(1, Ordering::Relaxed);
    let io = TokioIo::new(stream);
    Ok(match kind {
        Kind::Http2 => {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            Sender::Http2(sender)
        }
        Kind::KeepAlive | Kind::NewConnections => {
            let (sender, connection) = http1::handshake(io).await?;
            tokio::spawn(connection);
            Sender::Http1(sender)
        }
    })
}

/// The error with its causes, because hyper's own message omits them.
fn with_causes(error: hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
