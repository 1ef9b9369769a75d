//! Serves requests of every kind, on the runtime that the environment variable `FLAVOR` selects.

use bytes::Bytes;
use graceful_tests::stage::{self, Gate, env_var, print_line};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Frame, Incoming},
    header::{CONNECTION, UPGRADE},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    io,
    pin::Pin,
    process::ExitCode,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream, UnixListener},
    sync::mpsc,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

type Body = BoxBody<Bytes, Infallible>;

mod multi_thread {
    #[graceful::main(grace = "300ms", drain = "5s", worker_threads = 2)]
    pub(super) async fn main(ctx: graceful::Context) -> std::io::Result<()> {
        super::serve(ctx, 2).await
    }
}

mod current_thread {
    #[graceful::main(grace = "300ms", drain = "5s", flavor = "current_thread")]
    pub(super) async fn main(ctx: graceful::Context) -> std::io::Result<()> {
        // In a task, because the future of main runs only after the runtime has asked for the readiness of sockets.
        tokio::spawn(super::serve(ctx, 1)).await?
    }
}

fn main() -> ExitCode {
    match env_var("FLAVOR").as_str() {
        "current_thread" => current_thread::main(),
        _ => multi_thread::main(),
    }
}

#[graceful::shutdown_hook(order = 1)]
async fn last_words() {
    print_line("the hook has run");
}

async fn serve(ctx: graceful::Context, workers: usize) -> io::Result<()> {
    let gate = stage::read_commands(&ctx, workers);
    let service = service_fn(move |request| {
        let gate = gate.clone();
        async move { Ok::<_, Infallible>(respond(request, gate).await) }
    });
    let unix = env_var("UNIX_SOCKET");
    if !unix.is_empty() {
        return configured(graceful::serve(UnixListener::bind(unix)?, service)).await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    print_line(format!("serving on {}", listener.local_addr()?));
    let timeout = Duration::from_secs(20);
    match env_var("HANDSHAKE").as_str() {
        "" => configured(graceful::serve(listener, service)).await,
        "tls" => {
            let acceptor = tls();
            let listener = graceful::with_handshake(listener, timeout, move |stream| acceptor.accept(stream));
            configured(graceful::serve(listener, service)).await
        }
        _ => configured(graceful::serve(graceful::with_handshake(listener, timeout, shake), service)).await,
    }
}

/// The server with the settings of the environment.
fn configured<L, S>(mut serve: graceful::Serve<L, S>) -> graceful::Serve<L, S> {
    if let Ok(connections) = env_var("MAX_CONNECTIONS").parse() {
        serve = serve.max_connections(connections);
    }
    if env_var("KEEP_ALIVE") == "no" {
        serve = serve.http1(|http1| {
            http1.keep_alive(false);
        });
    }
    if let Ok(millis) = env_var("TIMEOUTS_MS").parse().map(Duration::from_millis) {
        serve = serve.header_timeout(millis).body_timeout(millis);
    }
    serve
}

/// TLS with a self-signed certificate, which is printed for the clients.
fn tls() -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let digits: String = made.cert.der().iter().map(|byte| format!("{byte:02x}")).collect();
    print_line(format!("certificate {digits}"));
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("the certificate is of the key");
    Arc::new(config).into()
}

/// A handshake: the client sends a line before HTTP.
async fn shake(mut stream: graceful::Transport<TcpStream>) -> io::Result<graceful::Transport<TcpStream>> {
    while stream.read_u8().await? != b'\n' {}
    Ok(stream)
}

async fn respond(request: Request<Incoming>, gate: Arc<Gate>) -> Response<Body> {
    let (path, query) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    if request.method() == Method::CONNECT {
        let mut response = upgraded(request, Owner::Echoes);
        *response.status_mut() = StatusCode::OK;
        return response;
    }
    if path != "/fast" {
        print_line(format!("in {path}"));
    }
    match path.as_str() {
        "/fast" => text("fast\n"),
        "/slow" => {
            let millis = query.strip_prefix("ms=").and_then(|ms| ms.parse().ok()).unwrap_or(100);
            tokio::time::sleep(Duration::from_millis(millis)).await;
            text("slow\n")
        }
        // Responds after `release` without reading the body.
        "/held" => {
            gate.passed().await;
            text("held\n")
        }
        // Responds with the complete body after `release`.
        "/echo_held" => match request.into_body().collect().await {
            Ok(body) => {
                print_line("has the body of /echo_held");
                gate.passed().await;
                Response::new(Full::new(body.to_bytes()).boxed())
            }
            Err(_) => text("the body is broken\n"),
        },
        "/early" => text("early\n"),
        "/large" => Response::new(Full::new(Bytes::from(vec![b'x'; 8 << 20])).boxed()),
        "/panics" => panic!("the handler panics"),
        "/echo" => match request.into_body().collect().await {
            Ok(body) => Response::new(Full::new(body.to_bytes()).boxed()),
            Err(_) => text("the body is broken\n"),
        },
        "/stream" => streamed(gate),
        "/upgrade" => upgraded(request, Owner::Echoes),
        "/upgrade_and_sit" => upgraded(request, Owner::Waits),
        "/upgrade_and_push" => upgraded(request, Owner::Pushes),
        "/upgrade_in_two_tasks" => upgraded(request, Owner::IsTwoTasks),
        // Responds at once, while a task reads the body until `release`.
        "/keep" => {
            tokio::spawn(async move {
                tokio::select! {
                    _ = request.into_body().collect() => {}
                    () = gate.passed() => {}
                }
            });
            text("kept\n")
        }
        _ => text("what?\n"),
    }
}

fn text(text: &'static str) -> Response<Body> {
    Response::new(Full::new(Bytes::from_static(text.as_bytes())).boxed())
}

/// Streams the first chunk at once and the last one after `release`.
fn streamed(gate: Arc<Gate>) -> Response<Body> {
    let (sender, chunks) = mpsc::channel(1);
    tokio::spawn(async move {
        for chunk in ["first\n", "last\n"] {
            if sender.send(chunk).await.is_err() {
                return;
            }
            gate.passed().await;
        }
    });
    Response::new(Chunks(chunks).boxed())
}

/// A body of chunks from a channel. (`http_body_util::Channel` can lose the last chunk if its sender is dropped at once.)
struct Chunks(mpsc::Receiver<&'static str>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|chunk| chunk.map(|chunk| Ok(Frame::data(Bytes::from_static(chunk.as_bytes())))))
    }
}

/// What the owner of an upgraded connection does.
enum Owner {
    /// Echoes until the client closes.
    Echoes,
    /// Writes without ever reading.
    Pushes,
    /// Leaves the connection unpolled.
    Waits,
    /// Reads in one task and writes in another.
    IsTwoTasks,
}

/// Upgrades the connection.
fn upgraded(request: Request<Incoming>, owner: Owner) -> Response<Body> {
    tokio::spawn(async move {
        if let Ok(upgraded) = hyper::upgrade::on(request).await {
            let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
            let end = match owner {
                Owner::Echoes => tokio::io::copy(&mut read, &mut write).await,
                Owner::Pushes => {
                    print_line("pushes");
                    tokio::io::copy(&mut tokio::io::repeat(b'x'), &mut write).await
                }
                Owner::Waits => {
                    print_line("sits");
                    std::future::pending().await
                }
                Owner::IsTwoTasks => {
                    tokio::spawn(async move {
                        let end = tokio::io::copy(&mut read, &mut tokio::io::sink()).await;
                        print_line(format!("the reader ended: {:?}", end.map(drop).map_err(|error| error.kind())));
                    });
                    print_line("writes until the buffers are full");
                    tokio::io::copy(&mut tokio::io::repeat(b'x'), &mut write).await
                }
            };
            print_line(format!("the other protocol ended: {:?}", end.map(drop).map_err(|error| error.kind())));
        }
    });
    let mut response = text("");
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, "upgrade".parse().expect("a header"));
    headers.insert(UPGRADE, "echo".parse().expect("a header"));
    response
}
