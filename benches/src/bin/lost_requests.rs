//! Requests lost in a shutdown by clients whose connections stay open through grace, over TCP, TLS and HTTP/2.
//!
//! - `idle`: a connection is idle through grace, and sends one request within a few milliseconds of the drain.
//! - `calls`: a connection sends requests one after the other, or several at a time, until the server closes it.
//!
//! A client sends no request once it has seen the end of its connection. An idle client looks at the socket itself, so
//! that only a request that crosses the end on the wire can be lost. A request counts as lost if its client got an error
//! instead of a response, and as unsent if hyper's client says that it was never sent, so that its pools send it again.

use bytes::Bytes;
use graceful::{Builder, Flavor, Health, Plan};
use graceful_benches::{Result, server::bind, subject, subject::Subject};
use http_body_util::{BodyExt, Empty, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::{SockRef, Socket};
use std::{
    collections::BTreeMap, convert::Infallible, env, error::Error, mem::MaybeUninit, net::SocketAddr, sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

/// How many connections a round has.
const CONNECTIONS: u64 = 100;
/// How far from the drain a request of an idle connection is sent at most.
const AROUND: Duration = Duration::from_millis(4);
const GRACE: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Tcp,
    Tls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    Idle,
    /// With so many requests at a time.
    Calls(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http1,
    Http2,
}

fn main() -> Result {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match &arguments[..] {
        [command, transport] if command == "serve" => serve(transport == "Tls"),
        [] => compare(50),
        [rounds] => compare(rounds.parse()?),
        _ => Err("arguments: [ROUNDS]".into()),
    }
}

/// The certificate and the key of the server, from the benchmark to the subject.
const CERTIFICATE: &str = "BENCH_CERTIFICATE";
const KEY: &str = "BENCH_KEY";

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(name: &str) -> Result<Vec<u8>> {
    let text = env::var(name)?;
    let bytes = text.as_bytes().chunks(2);
    bytes.map(|two| Ok(u8::from_str_radix(std::str::from_utf8(two)?, 16)?)).collect()
}

fn serve(tls: bool) -> Result {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(from_hex(CERTIFICATE)?)],
            PrivateKeyDer::Pkcs8(from_hex(KEY)?.into()),
        )?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let service = service_fn(|_: Request<Incoming>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello\n"))))
    });
    let plan = Plan { grace: GRACE, health: Health::Off, ..Plan::DEFAULT };
    Builder::new().plan(plan).flavor(Flavor::MultiThread).run(move |_| async move {
        let listener = bind().await?;
        match tls {
            false => graceful::serve(listener, service).await,
            true => {
                let shake = move |stream| acceptor.accept(stream);
                graceful::serve(graceful::with_handshake(listener, Duration::from_secs(10), shake), service).await
            }
        }
    });
    Ok(())
}

fn compare(rounds: usize) -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!("| protocol | clients | sent | lost | errors | unsent |\n|---|---|---|---|---|---|");
    for (transport, version) in [
        (Transport::Tcp, Version::Http1),
        (Transport::Tls, Version::Http1),
        (Transport::Tcp, Version::Http2),
        (Transport::Tls, Version::Http2),
    ] {
        for load in [Load::Idle, Load::Calls(1), Load::Calls(8)] {
            if version == Version::Http1 && load == Load::Calls(8) {
                continue; // HTTP/1.1 has one request at a time
            }
            let mut counts = Counts::default();
            for _ in 0..rounds {
                counts.add(runtime.block_on(round(transport, version, load))?);
            }
            let errors: Vec<_> = counts.errors.iter().map(|(text, count)| format!("{count} {text}")).collect();
            let Counts { sent, unsent, lost, .. } = counts;
            println!(
                "| {version:?} over {transport:?} | {load:?} | {sent} | {lost} | {} | {unsent} |",
                errors.join(", ")
            );
        }
    }
    Ok(())
}

#[derive(Default)]
struct Counts {
    sent: usize,
    unsent: usize,
    lost: usize,
    errors: BTreeMap<String, usize>,
}

impl Counts {
    fn add(&mut self, more: Self) {
        self.sent += more.sent;
        self.unsent += more.unsent;
        self.lost += more.lost;
        for (text, count) in more.errors {
            *self.errors.entry(text).or_default() += count;
        }
    }

    /// Counts a call, and returns whether the client can go on.
    fn count(&mut self, result: Result<(), hyper::Error>) -> bool {
        match result {
            Err(error) if error.is_canceled() => self.unsent += 1,
            Err(error) => {
                self.sent += 1;
                self.lost += 1;
                let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
                *self.errors.entry(format!("{error}{source}")).or_default() += 1;
            }
            Ok(()) => {
                self.sent += 1;
                return true;
            }
        }
        false
    }
}

/// One shutdown, with all connections open before it.
async fn round(transport: Transport, version: Version, load: Load) -> Result<Counts> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let mut command = subject::itself(&["serve", &format!("{transport:?}")])?;
    command.env(CERTIFICATE, to_hex(made.cert.der())).env(KEY, to_hex(&made.signing_key.serialize_der()));
    let mut subject = Subject::start(&mut command)?;
    let address = subject.address()?;
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone())?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));

    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let socket = SockRef::from(&tcp).try_clone()?;
        let mut client = match transport {
            Transport::Tcp => Client::connect(version, tcp).await?,
            Transport::Tls => Client::connect(version, connector.connect("localhost".try_into()?, tcp).await?).await?,
        };
        client.call(address).await?;
        clients.push((client, socket));
    }
    subject.terminate()?;
    let drain = Instant::now() + GRACE;
    let mut tasks = JoinSet::new();
    for (number, (client, socket)) in (0..).zip(clients) {
        // Spread evenly over the time around the drain.
        let moment = drain - AROUND + 2 * AROUND * number / CONNECTIONS as u32;
        tasks.spawn(async move {
            match load {
                Load::Idle => client.one_call_at(moment, &socket, address).await,
                Load::Calls(at_a_time) => client.calls(at_a_time, address).await,
            }
        });
    }
    let mut counts = Counts::default();
    while let Some(more) = tasks.join_next().await {
        counts.add(more?);
    }
    subject.wait()?;
    Ok(counts)
}

enum Client {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

impl Client {
    async fn connect<S>(version: Version, stream: S) -> Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(stream);
        Ok(match version {
            Version::Http1 => {
                let (sender, connection) = http1::handshake(io).await?;
                tokio::spawn(connection);
                Self::Http1(sender)
            }
            Version::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                tokio::spawn(connection);
                Self::Http2(sender)
            }
        })
    }

    /// Whether the client can send a request: it has not seen the end of the connection, nor GOAWAY.
    async fn is_open(&mut self) -> bool {
        match self {
            Self::Http1(sender) => sender.ready().await.is_ok() && sender.is_ready(),
            Self::Http2(sender) => sender.ready().await.is_ok() && sender.is_ready(),
        }
    }

    async fn call(&mut self, address: SocketAddr) -> Result<(), hyper::Error> {
        let request = Request::get(format!("http://{address}/")).header("host", "localhost");
        let request = request.body(Empty::new()).expect("the parts are valid");
        let response = match self {
            Self::Http1(sender) => sender.send_request(request).await?,
            Self::Http2(sender) => sender.send_request(request).await?,
        };
        response.into_body().collect().await.map(drop)
    }

    async fn one_call_at(mut self, moment: Instant, socket: &Socket, address: SocketAddr) -> Counts {
        sleep_until(moment).await;
        let mut counts = Counts::default();
        let nothing_has_arrived = || socket.peek(&mut [MaybeUninit::uninit()]).is_err();
        if self.is_open().await && nothing_has_arrived() {
            counts.count(self.call(address).await);
        }
        counts
    }

    async fn calls(self, at_a_time: usize, address: SocketAddr) -> Counts {
        let mut callers = JoinSet::new();
        let repeat = |mut client: Self| async move {
            let mut counts = Counts::default();
            while client.is_open().await && counts.count(client.call(address).await) {}
            counts
        };
        match self {
            Self::Http1(_) => drop(callers.spawn(repeat(self))),
            Self::Http2(sender) => {
                (0..at_a_time).for_each(|_| drop(callers.spawn(repeat(Self::Http2(sender.clone())))));
            }
        }
        let mut counts = Counts::default();
        while let Some(Ok(more)) = callers.join_next().await {
            counts.add(more);
        }
        counts
    }
}
