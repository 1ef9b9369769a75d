//! What bytes travel through: memory, TCP, Unix sockets, TLS.

use graceful::Listener;
use graceful_tests::memory::MemoryListener;
use std::{
    io,
    net::Ipv4Addr,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, duplex},
    net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream},
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// A transport of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Memory,
    Tcp,
    Unix,
    Tls,
}

/// The client's side of a connection.
pub(crate) trait Client: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Client for T {}

/// Hands out the suite's own connection, which is the first one: other programs of the machine may connect to the port.
pub(crate) struct One<L> {
    listener: L,
    is_taken: bool,
}

impl<L> One<L> {
    pub(crate) fn of(listener: L) -> Self {
        Self { listener, is_taken: false }
    }
}

impl<L: Listener> Listener for One<L> {
    type Stream = L::Stream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>> {
        if self.is_taken {
            return Poll::Pending;
        }
        let polled = self.listener.poll_accept(cx);
        self.is_taken = matches!(polled, Poll::Ready(Ok(_)));
        polled
    }

    fn prepare(&mut self) {
        self.listener.prepare();
    }

    fn accept_nonblocking(&mut self) -> io::Result<Self::Stream> {
        if self.is_taken {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let accepted = self.listener.accept_nonblocking();
        self.is_taken = accepted.is_ok();
        accepted
    }

    fn name(&self) -> String {
        self.listener.name()
    }
}

/// How much each side of a connection takes before its peer reads, more or less.
const BUFFER: u32 = 1 << 16;

pub(crate) fn memory() -> (MemoryListener, DuplexStream) {
    let (client, server) = duplex(BUFFER as usize);
    (MemoryListener::new(server), client)
}

pub(crate) async fn tcp() -> (TcpListener, TcpStream) {
    let (server, client) = (TcpSocket::new_v4().unwrap(), TcpSocket::new_v4().unwrap());
    server.set_send_buffer_size(BUFFER).unwrap(); // inherited by what it accepts
    client.set_recv_buffer_size(BUFFER).unwrap();
    server.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = server.listen(1).unwrap();
    let client = client.connect(listener.local_addr().unwrap()).await.unwrap();
    client.set_nodelay(true).unwrap();
    (listener, client)
}

pub(crate) async fn unix() -> (UnixListener, UnixStream) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("graceful-oracle-{}-{}.sock", std::process::id(), NEXT.fetch_add(1, Relaxed));
    let path = std::env::temp_dir().join(name);
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).await.unwrap();
    std::fs::remove_file(path).unwrap(); // connected, and nobody else is to come
    (listener, client)
}

struct Certificate {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

/// A self-signed certificate, made once.
static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let server = server.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    Certificate { acceptor: Arc::new(server).into(), connector: Arc::new(client).into() }
});

/// A TLS listener, and the client's socket, which has not shaken hands.
pub(crate) async fn tls() -> (impl Listener<Stream: Sync>, TcpStream) {
    let (listener, client) = tcp().await;
    let listener =
        graceful::with_handshake(listener, Duration::from_secs(10), |stream| CERTIFICATE.acceptor.accept(stream));
    (listener, client)
}

pub(crate) async fn shake_hands(client: TcpStream) -> impl Client {
    CERTIFICATE.connector.connect("localhost".try_into().unwrap(), client).await.unwrap()
}
