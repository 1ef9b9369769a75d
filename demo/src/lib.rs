//! A load generator that never retries, so that it hides nothing.
//!
//! Its clients behave as good HTTP clients do: they reuse a connection until an answer says `Connection: close`, a
//! GOAWAY comes, or the connection is closed while idle, and they open a new one then. Everything else that goes wrong
//! is a failure.

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
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{MissedTickBehavior, interval, timeout},
};

/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the next connection goes; `None` if there is nowhere, which is a failure too.
pub type Balancer = Arc<dyn Fn() -> Option<SocketAddr> + Send + Sync>;

/// What a load has seen.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests that were sent.
    pub sent: AtomicU64,
    /// Connections that were opened.
    pub connections: AtomicU64,
    /// Why requests failed, and how many for each reason.
    pub failures: Mutex<BTreeMap<String, u64>>,
}

impl Counts {
    /// How many requests failed.
    pub fn failed(&self) -> u64 {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    fn fail(&self, why: String) {
        *self.failures.lock().unwrap_or_else(PoisonError::into_inner).entry(why).or_default() += 1;
    }
}

/// How a client uses its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// HTTP/1.1, one connection for as long as the server keeps it.
    KeepAlive,
    /// HTTP/1.1, a new connection for each request.
    NewConnections,
    /// HTTP/2, one connection until the server says GOAWAY.
    Http2,
}

/// One client, until `stop`: a request every `pace`.
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
        let exchange = timeout(PATIENCE, request(&to, &path, kind, &mut connection, &counts)).await;
        let why = match exchange {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {PATIENCE:?}"),
        };
        connection = None;
        counts.fail(why);
    }
}

type BoxError = Box<dyn Error + Send + Sync>;
type Body = Empty<Bytes>;

/// A connection that can take a request.
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
            // Not a retry: the connection was closed in an orderly way before a byte of the request was sent.
            Err(mut error) => match error.take_message() {
                Some(unsent) => request = unsent,
                None => return Err(named(error.into_error()).into()),
            },
        }
    };
    let goes_on = response.headers().get("connection").is_none_or(|value| value != "close");
    if !response.status().is_success() {
        return Err(format!("status {}", response.status()).into());
    }
    response.into_body().collect().await.map_err(named)?;
    *connection = Some(sender).filter(|_| goes_on && kind != Kind::NewConnections);
    Ok(())
}

/// A kept connection, unless the server has closed it while it was idle.
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

/// hyper's error with its causes: "connection error" alone says too little.
fn named(error: hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
