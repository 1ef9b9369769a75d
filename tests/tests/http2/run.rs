//! Runs a case against bare hyper or `serve`, each in a runtime of its own, whose clock moves only where it is advanced.

use crate::{
    cases::Case,
    frames::{ACK, END_HEADERS, END_STREAM, Frame, HEADERS, PING, PONG, PREFACE, SETTINGS, block, frame, read},
    silence,
};
use bytes::Bytes;
use graceful::{Builder, Phase, Plan, Signal};
use graceful_tests::memory::MemoryListener;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, Once},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex, split},
    sync::{Semaphore, oneshot},
    task::yield_now,
};

const GRACE: Duration = Duration::from_secs(8);
const PLAN: Plan = Plan {
    grace: GRACE,
    drain: Duration::from_secs(200),
    termination_grace_period: Duration::from_secs(300),
    health: graceful::Health::Off,
    ..Plan::DEFAULT
};
/// More rounds of the runtime than anything here takes.
const ROUNDS: usize = 300;

/// A server, and the phase in which it gets the frames of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Hyper,
    Serving,
    /// After this percentage of grace.
    Grace(u32),
    Drain,
}

/// What a run has come to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) frames: Vec<Frame>,
    /// The server has closed the connection.
    pub(crate) closed: bool,
    /// Each request: its head, and what its handler has read.
    pub(crate) requests: Vec<String>,
}

#[derive(Default)]
struct Recording {
    requests: Mutex<Vec<String>>,
    received: Mutex<(Vec<u8>, bool)>,
}

type Responding = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send>>;

/// Reads the body, waits for the gate at `/late`, and responds.
fn service(
    recording: Arc<Recording>,
    gate: Arc<Semaphore>,
) -> impl Fn(Request<Incoming>) -> Responding + Clone + Send + 'static {
    move |request| {
        let (recording, gate) = (recording.clone(), gate.clone());
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let head = format!("{} {} {:?}", parts.method, parts.uri, parts.headers);
            let number = {
                let mut requests = recording.requests.lock().unwrap();
                requests.push(format!("{head}: begun"));
                requests.len() - 1
            };
            let body = match body.collect().await {
                Ok(body) => format!("{:?} {:?}", body.trailers().cloned(), body.to_bytes()),
                Err(error) => error.to_string(),
            };
            recording.requests.lock().unwrap()[number] = format!("{head}: {body}");
            if parts.uri.path() == "/late" {
                gate.acquire().await.unwrap().forget();
            }
            Ok(Response::new(Full::new(Bytes::from_static(b"response"))))
        })
    }
}

async fn settle() {
    for _ in 0..ROUNDS {
        yield_now().await;
    }
}

/// Moves the clock, no faster than the server follows.
async fn advance(mut time: Duration) {
    while !time.is_zero() {
        let tick = time.min(Duration::from_millis(100));
        tokio::time::advance(tick).await;
        yield_now().await;
        yield_now().await;
        time -= tick;
    }
}

pub(crate) fn run(server: Server, case: &Case) -> Outcome {
    // Instead of a timeline on stderr for each run.
    static SILENCE: Once = Once::new();
    SILENCE.call_once(silence::silence);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        // A paused clock jumps when the runtime has nothing to run.
        tokio::spawn(async {
            loop {
                yield_now().await;
            }
        });
        drive(server, case).await
    })
}

/// A process, and what ends its `main`.
type Process = (graceful::Context, graceful::Triggers, Option<oneshot::Sender<()>>);

/// Starts a process with one server.
async fn start(listener: MemoryListener, recording: Arc<Recording>, gate: Arc<Semaphore>) -> Process {
    let builder = Builder::for_tests().plan(PLAN);
    let triggers = builder.triggers();
    let (main, over) = oneshot::channel();
    let (started, context) = oneshot::channel();
    tokio::spawn(builder.run_here(move |context| async move {
        let serve = graceful::serve(listener, service_fn(service(recording, gate)))
            .with_context(context.clone())
            .http2(|http2| {
                http2.auto_date_header(false);
            });
        tokio::spawn(serve.into_future());
        let _ = started.send(context);
        let _ = over.await;
    }));
    (context.await.unwrap(), triggers, Some(main))
}

async fn drive(server: Server, case: &Case) -> Outcome {
    let (recording, gate) = (Arc::new(Recording::default()), Arc::new(Semaphore::new(0)));
    let (client, stream) = duplex(1 << 20);
    let mut process = None;
    if server == Server::Hyper {
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2.timer(TokioTimer::new()).auto_date_header(false);
        http2.keep_alive_interval(Duration::from_secs(30)).keep_alive_timeout(Duration::from_secs(10)); // as `serve`
        let service = service_fn(service(recording.clone(), gate.clone()));
        tokio::spawn(http2.serve_connection(TokioIo::new(stream), service));
    } else {
        process = Some(start(MemoryListener::new(stream), recording.clone(), gate.clone()).await);
    }
    let (mut reader, mut writer) = split(client);
    let received = recording.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 16384];
        loop {
            match reader.read(&mut buffer).await {
                Ok(length @ 1..) => received.received.lock().unwrap().0.extend(&buffer[..length]),
                _ => return received.received.lock().unwrap().1 = true,
            }
        }
    });
    let late = frame(HEADERS, END_STREAM | END_HEADERS, 1, block("GET", "/late"));
    let begin = [PREFACE, &frame(SETTINGS, 0, 0, []), &late].concat();
    writer.write_all(&begin).await.unwrap();
    settle().await;
    writer.write_all(&frame(SETTINGS, ACK, 0, [])).await.unwrap();
    settle().await;
    if let Some((context, triggers, main)) = &mut process {
        let phase = match server {
            Server::Grace(percent) => {
                triggers.signal(Signal::Terminate);
                settle().await;
                advance(GRACE * percent / 100).await;
                Phase::Grace
            }
            Server::Drain => {
                drop(main.take());
                settle().await;
                Phase::Draining
            }
            Server::Hyper | Server::Serving => Phase::Serving,
        };
        assert_eq!(context.phase(), phase);
    }
    settle().await;
    let _ = writer.write_all(&case.bytes).await;
    settle().await;
    let _ = writer.write_all(&frame(PING, 0, 0, PONG)).await;
    settle().await;
    gate.add_permits(1000);
    settle().await;
    let (bytes, closed) = recording.received.lock().unwrap().clone();
    let requests = recording.requests.lock().unwrap().clone();
    Outcome { frames: read(&bytes), closed, requests }
}
