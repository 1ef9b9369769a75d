//! Serves requests of every kind, on the kind of runtime that `FLAVOR` names.

use bytes::Bytes;
use graceful_tests::stage::{self, Gate, directed, say};
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
        super::serve(ctx, 1).await
    }
}

fn main() -> ExitCode {
    match directed("FLAVOR").as_str() {
        "current_thread" => current_thread::main(),
        _ => multi_thread::main(),
    }
}

#[graceful::shutdown_hook(order = 1)]
async fn last_words() {
    say("the hook has run");
}

async fn serve(ctx: graceful::Context, workers: usize) -> io::Result<()> {
    let gate = stage::direct(&ctx, workers);
    let service = service_fn(move |request| {
        let gate = gate.clone();
        async move { Ok::<_, Infallible>(answer(request, gate).await) }
    });
    let unix = directed("UNIX_SOCKET");
    if !unix.is_empty() {
        return graceful::serve(UnixListener::bind(unix)?, service).await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say(format!("serving on {}", listener.local_addr()?));
    if !directed("HANDSHAKE").is_empty() {
        return graceful::serve(graceful::with_handshake(listener, Duration::from_secs(20), shake), service).await;
    }
    let mut serve = graceful::serve(listener, service);
    if let Ok(connections) = directed("MAX_CONNECTIONS").parse() {
        serve = serve.max_connections(connections);
    }
    if directed("KEEP_ALIVE") == "no" {
        serve = serve.http1(|http1| {
            http1.keep_alive(false);
        });
    }
    if let Ok(millis) = directed("TIMEOUTS_MS").parse().map(Duration::from_millis) {
        serve = serve.header_timeout(millis).body_timeout(millis);
    }
    serve.await
}

/// A line of the client's, after which it speaks HTTP.
async fn shake(mut stream: TcpStream) -> io::Result<TcpStream> {
    while stream.read_u8().await? != b'\n' {}
    Ok(stream)
}

async fn answer(request: Request<Incoming>, gate: Arc<Gate>) -> Response<Body> {
    let (path, query) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    if request.method() == Method::CONNECT {
        let mut response = upgraded(request, false);
        *response.status_mut() = StatusCode::OK;
        return response;
    }
    if path != "/fast" {
        say(format!("in {path}"));
    }
    match path.as_str() {
        "/fast" => text("fast\n"),
        "/slow" => {
            let millis = query.strip_prefix("ms=").and_then(|ms| ms.parse().ok()).unwrap_or(100);
            tokio::time::sleep(Duration::from_millis(millis)).await;
            text("slow\n")
        }
        // Answers after `release`, without a look at its body.
        "/held" => {
            gate.passed().await;
            text("held\n")
        }
        // Answers after `release`, with all of its body.
        "/echo_held" => match request.into_body().collect().await {
            Ok(body) => {
                say("has the body of /echo_held");
                gate.passed().await;
                Response::new(Full::new(body.to_bytes()).boxed())
            }
            Err(_) => text("the body is broken\n"),
        },
        "/early" => text("early\n"),
        "/panics" => panic!("the handler panics"),
        "/echo" => match request.into_body().collect().await {
            Ok(body) => Response::new(Full::new(body.to_bytes()).boxed()),
            Err(_) => text("the body is broken\n"),
        },
        "/stream" => streamed(gate),
        "/upgrade" => upgraded(request, false),
        "/upgrade_and_sit" => upgraded(request, true),
        _ => text("what?\n"),
    }
}

fn text(text: &'static str) -> Response<Body> {
    Response::new(Full::new(Bytes::from_static(text.as_bytes())).boxed())
}

/// A first chunk at once, the last one after `release`.
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

/// What comes through a channel. (`http_body_util::Channel` can lose the last chunk if its sender is dropped behind it.)
struct Chunks(mpsc::Receiver<&'static str>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|chunk| chunk.map(|chunk| Ok(Frame::data(Bytes::from_static(chunk.as_bytes())))))
    }
}

/// Another protocol: what comes goes back, until the client closes; or nobody ever looks at it.
fn upgraded(request: Request<Incoming>, sits: bool) -> Response<Body> {
    tokio::spawn(async move {
        if let Ok(upgraded) = hyper::upgrade::on(request).await {
            if sits {
                say("sits");
                std::future::pending::<()>().await;
            }
            let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
            let end = tokio::io::copy(&mut read, &mut write).await;
            say(format!("the other protocol ended: {:?}", end.map(drop).map_err(|error| error.kind())));
        }
    });
    let mut response = text("");
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, "upgrade".parse().expect("a header"));
    headers.insert(UPGRADE, "echo".parse().expect("a header"));
    response
}
