//! A load that never retries: kept connections, new connections, uploads and slow requests.

use axum::body::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::{
    Request, StatusCode,
    body::{Body, Frame, SizeHint},
    client::conn::http1::{SendRequest, handshake},
    header::{CONNECTION, HOST},
};
use hyper_util::rt::TokioIo;
use std::{
    collections::BTreeMap,
    convert::Infallible,
    error::Error,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, Interval, interval_at, sleep, timeout},
};

/// A request that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(20);
/// The shortest time from a failed request to the next.
const AFTER_FAILURE: Duration = Duration::from_millis(40);
/// The pieces of an upload, and the time between them.
const PIECE: &[u8] = &[b'x'; 8192];
const PIECES: usize = 8;
const PAUSE: Duration = Duration::from_millis(25);

/// What clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// GET on a kept connection.
    KeepAlive,
    /// GET on a new connection each.
    NewConnection,
    /// POST of 64 KB over 200 ms, on a kept connection.
    Upload,
    /// POST of 1 KB at once, on a kept connection.
    Post,
    /// GET of two seconds, on a kept connection.
    Slow,
}

impl Kind {
    /// Every kind, with the number of its clients and the pause of each after a request.
    const ALL: [(Self, usize, Duration); 5] = [
        (Self::KeepAlive, 16, Duration::from_millis(40)),
        (Self::NewConnection, 8, Duration::from_millis(40)),
        (Self::Upload, 4, Duration::from_millis(10)),
        (Self::Post, 8, Duration::from_millis(40)),
        (Self::Slow, 4, Duration::ZERO),
    ];

    /// Its name in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeepAlive => "GET, kept connections",
            Self::NewConnection => "GET, new connections",
            Self::Upload => "POST, 64 KB over 200 ms",
            Self::Post => "POST, 1 KB",
            Self::Slow => "GET, 2 s",
        }
    }
}

/// Requests of one kind.
#[derive(Debug, Default, Clone)]
pub struct Count {
    /// All requests.
    pub sent: u64,
    /// The failed ones by reason.
    pub failed: BTreeMap<String, u64>,
}

/// The requests of a load.
pub type Counts = BTreeMap<Kind, Count>;

/// The failed requests.
pub fn failed(counts: &Counts) -> u64 {
    counts.values().flat_map(|count| count.failed.values()).sum()
}

/// A running load.
pub(crate) struct Load {
    clients: JoinSet<()>,
    results: mpsc::UnboundedReceiver<(Kind, Result<(), String>)>,
    stop: watch::Sender<bool>,
}

impl Load {
    /// Starts clients of all kinds.
    pub(crate) fn start(address: SocketAddr) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (sender, results) = mpsc::unbounded_channel();
        let mut clients = JoinSet::new();
        for (kind, number, pause) in Kind::ALL {
            for _ in 0..number {
                let client = Client { address, kind, connection: None };
                clients.spawn(client.run(pause, stopped.clone(), sender.clone()));
            }
        }
        Self { clients, results, stop }
    }

    /// Ends each client after its request, and counts.
    pub(crate) async fn finish(mut self) -> Counts {
        self.stop.send_replace(true);
        while self.clients.join_next().await.is_some() {}
        let mut counts = Counts::new();
        while let Ok((kind, result)) = self.results.try_recv() {
            let count = counts.entry(kind).or_default();
            count.sent += 1;
            if let Err(reason) = result {
                *count.failed.entry(reason).or_default() += 1;
            }
        }
        counts
    }
}

type RequestBody = Either<Full<Bytes>, Pieces>;

struct Client {
    address: SocketAddr,
    kind: Kind,
    connection: Option<SendRequest<RequestBody>>,
}

impl Client {
    async fn run(
        mut self,
        pause: Duration,
        stopped: watch::Receiver<bool>,
        results: mpsc::UnboundedSender<(Kind, Result<(), String>)>,
    ) {
        while !*stopped.borrow() {
            let began = Instant::now();
            let result = match timeout(LIMIT, self.request()).await {
                Ok(result) => result.map_err(|error| chain(&*error)),
                Err(_) => Err(format!("no response within {LIMIT:?}")),
            };
            let pause = match result {
                Ok(()) => pause,
                Err(_) => pause.max(AFTER_FAILURE),
            };
            let _ = results.send((self.kind, result)); // the load is dropped after a failed test
            sleep(pause.saturating_sub(began.elapsed())).await;
        }
    }

    /// One request, and its complete response.
    async fn request(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut sender = match self.connection.take() {
            Some(sender) => sender,
            None => connect(self.address).await?,
        };
        // A connection that the server has closed since the last response is no failure.
        if sender.ready().await.is_err() {
            sender = connect(self.address).await?;
        }
        let response = sender.send_request(self.body()?).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let expected = match self.kind {
            Kind::Upload => "65536\n",
            Kind::Post => "1024\n",
            Kind::Slow => "slow\n",
            Kind::KeepAlive | Kind::NewConnection => "hello\n",
        };
        if head.status != StatusCode::OK {
            return Err(head.status.to_string().into());
        }
        if body != expected.as_bytes() {
            return Err(format!("a body of {} bytes that is not {expected:?}", body.len()).into());
        }
        if self.kind != Kind::NewConnection && !head.headers.get_all(CONNECTION).iter().any(|value| value == "close") {
            self.connection = Some(sender);
        }
        Ok(())
    }

    fn body(&self) -> Result<Request<RequestBody>, hyper::http::Error> {
        let request = Request::builder().header(HOST, self.address.to_string());
        let empty = || Either::Left(Full::default());
        match self.kind {
            Kind::KeepAlive => request.uri("/").body(empty()),
            Kind::NewConnection => request.uri("/").header(CONNECTION, "close").body(empty()),
            Kind::Slow => request.uri("/slow").body(empty()),
            Kind::Post => request.method("POST").uri("/").body(Either::Left(Full::from(vec![b'x'; 1024]))),
            Kind::Upload => request.method("POST").uri("/").body(Either::Right(Pieces::new())),
        }
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<RequestBody>, Box<dyn Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// An error with its causes.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The body of an upload: pieces at equal distances.
struct Pieces {
    left: usize,
    clock: Interval,
}

impl Pieces {
    fn new() -> Self {
        Self { left: PIECES, clock: interval_at(Instant::now() + PAUSE, PAUSE) }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        ready!(self.clock.poll_tick(cx));
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PIECE)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.left * PIECE.len()) as u64)
    }
}
