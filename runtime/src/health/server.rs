//! The health server: accepts connections, limits them, and speaks HTTP/1.1 (and HTTP/2 for gRPC) on them.

#[cfg(feature = "tonic")]
use super::{grpc, rewind::Rewind};
use super::{
    prestop::{self, Prestop},
    service::respond,
};
#[cfg(feature = "tonic")]
use crate::serve::preface::First;
use crate::{context::Context, os::descriptors, phase::Phase, report::timeline::Level, spare_descriptor::SPARE};
#[cfg(feature = "tonic")]
use hyper::server::conn::http2;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
#[cfg(feature = "tonic")]
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    collections::VecDeque,
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    net::TcpListener,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};
#[cfg(feature = "tonic")]
use tokio::time::timeout;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::{AbortHandle, yield_now},
    time::{Instant, sleep},
};

/// Probes never need more connections than this. One is aborted for a new one, so that a probe is always accepted.
const CONNECTIONS: usize = 64;
/// HTTP/2 connections have a limit of their own, because Watch streams are long-lived.
#[cfg(feature = "tonic")]
const HTTP2_CONNECTIONS: usize = 128;
/// gRPC probes use a few concurrent streams, with small requests.
#[cfg(feature = "tonic")]
const HTTP2_STREAMS: u32 = 32;
/// The limit for the bytes of a request's head, which a connection may hold until [`HEAD_TIMEOUT`].
const HEAD_SIZE: u16 = 16 * 1024;
/// The limit for a request's head: the kubelet's timeout for the whole probe is 1 s by default.
const HEAD_TIMEOUT: Duration = Duration::from_secs(2);
/// The limit for an HTTP/1.1 connection as a whole, and for HTTP/2 pings.
const LIFETIME: Duration = Duration::from_secs(5);

/// How long a client may take to send its request while no file descriptor is left for others.
const PATIENCE: Duration = Duration::from_millis(50);

/// Serves probes for as long as the current runtime lives, or until the returned handle aborts.
///
/// # Errors
/// The listener cannot be registered with the runtime.
pub(crate) fn start(listener: TcpListener, context: Context) -> io::Result<AbortHandle> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    SPARE.hold(); // before the program's own code runs, which may take all descriptors
    let server = tokio::spawn(async move {
        let server = Server::new(context);
        let mut logged = false;
        loop {
            SPARE.hold();
            let accepted = match listener.accept().await {
                Ok((stream, _)) => stream,
                // Most likely out of file descriptors.
                Err(error) => {
                    if !std::mem::replace(&mut logged, true) {
                        let text = format!("the health server cannot accept: {error}");
                        server.context.0.recorder.note(Level::Warn, text);
                    }
                    server.free_a_descriptor().await;
                    // At once, before the spare descriptors are held again. Without descriptors, `accept` fails even if no
                    // client waits.
                    match poll_fn(|cx| Poll::Ready(listener.poll_accept(cx))).await {
                        Poll::Ready(Ok((stream, _))) => stream,
                        Poll::Ready(Err(_)) => {
                            sleep(PATIENCE).await;
                            continue;
                        }
                        Poll::Pending => continue,
                    }
                }
            };
            server.probes.make_room().await;
            server.admit(accepted);
        }
    });
    Ok(server.abort_handle())
}

/// How often the connections may run before one is aborted for a new one: a complete request is answered by then, also
/// if the process was stopped and many requests have arrived meanwhile.
const ROUNDS: usize = 64;

/// The tasks of the connections of one protocol, at most `limit` of them.
struct ConnectionTasks {
    limit: usize,
    tasks: Mutex<VecDeque<ConnectionTask>>,
}

struct ConnectionTask {
    handle: AbortHandle,
    begun: Instant,
    /// Whether a request has arrived.
    busy: Arc<AtomicBool>,
}

impl ConnectionTasks {
    fn new(limit: usize) -> Self {
        Self { limit: descriptors::for_probes(limit), tasks: Mutex::default() }
    }

    /// Lets connections end, if there are as many as the limit.
    async fn make_room(&self) {
        for _ in 0..ROUNDS {
            if self.running().len() < self.limit {
                return;
            }
            yield_now().await;
        }
    }

    /// Spawns the task of a connection. At the limit a task is aborted: the oldest without a request, or else the oldest.
    /// `busy` becomes true when a request arrives.
    fn spawn(&self, busy: Arc<AtomicBool>, connection: impl Future<Output: Send> + Send + 'static) {
        let mut tasks = self.running();
        if tasks.len() >= self.limit {
            let idle = oldest_idle(&tasks);
            tasks.remove(idle.unwrap_or(0)).iter().for_each(|task| task.handle.abort());
        }
        let task = async move {
            connection.await;
            SPARE.hold(); // its descriptor may have been the last one
        };
        tasks.push_back(ConnectionTask { handle: tokio::spawn(task).abort_handle(), begun: Instant::now(), busy });
    }

    /// Aborts the oldest connection without a request, unless it is new. Returns whether there was one.
    fn abort_idle(&self) -> bool {
        let mut tasks = self.running();
        let idle = oldest_idle(&tasks).filter(|idle| tasks[*idle].begun.elapsed() >= PATIENCE);
        let idle = idle.and_then(|idle| tasks.remove(idle));
        idle.inspect(|task| task.handle.abort()).is_some()
    }

    fn running(&self) -> MutexGuard<'_, VecDeque<ConnectionTask>> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.handle.is_finished());
        tasks
    }
}

fn oldest_idle(tasks: &VecDeque<ConnectionTask>) -> Option<usize> {
    tasks.iter().position(|task| !task.busy.load(Ordering::Relaxed))
}

/// Aborts the connections with the server: in a test, their runtime outlives the server.
impl Drop for ConnectionTasks {
    fn drop(&mut self) {
        let tasks = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner);
        tasks.iter().for_each(|task| task.handle.abort());
    }
}

pub(crate) struct Server {
    context: Context,
    probes: ConnectionTasks,
    #[cfg(feature = "tonic")]
    http2: Arc<ConnectionTasks>,
}

impl Server {
    pub(crate) fn new(context: Context) -> Self {
        Self {
            context,
            probes: ConnectionTasks::new(CONNECTIONS),
            #[cfg(feature = "tonic")]
            http2: Arc::new(ConnectionTasks::new(HTTP2_CONNECTIONS)),
        }
    }

    /// Releases a spare descriptor, or else that of the oldest connection whose client has sent no request in
    /// [`PATIENCE`], if there is one.
    async fn free_a_descriptor(&self) {
        #[cfg(feature = "tonic")]
        let abort_idle = || self.probes.abort_idle() || self.http2.abort_idle();
        #[cfg(not(feature = "tonic"))]
        let abort_idle = || self.probes.abort_idle();
        if SPARE.release() || abort_idle() {
            yield_now().await; // an aborted task closes its connection
        }
    }

    /// Serves a connection in a task of its own.
    #[cfg(not(feature = "tonic"))]
    pub(crate) fn admit(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let busy = Arc::new(AtomicBool::new(false));
        self.probes.spawn(busy.clone(), http1(stream, self.context.clone(), busy));
    }

    #[cfg(feature = "tonic")]
    pub(crate) fn admit(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let (context, http2_tasks) = (self.context.clone(), self.http2.clone());
        let busy = Arc::new(AtomicBool::new(false));
        let task_busy = busy.clone();
        let connection = async move {
            let mut first = First::default();
            let is_http2 = poll_fn(|cx| first.poll_is_http2(&mut stream, cx));
            match timeout(HEAD_TIMEOUT, is_http2).await {
                Ok(Ok(true)) => http2_tasks.spawn(busy, http2(Rewind::new(first, stream), context)),
                Ok(Ok(false)) => http1(Rewind::new(first, stream), context, busy).await,
                Ok(Err(_)) | Err(_) => {}
            }
        };
        self.probes.spawn(task_busy, connection);
    }
}

async fn http1(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, context: Context, busy: Arc<AtomicBool>) {
    let waits_for_grace = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let (context, waits_for_grace) = (context.clone(), waits_for_grace.clone());
        move |request: Request<Incoming>| {
            busy.store(true, Ordering::Relaxed);
            let prestop = Prestop::of(context.0.prestop_token.get().map(String::as_str), &request);
            let (context, waits_for_grace) = (context.clone(), waits_for_grace.clone());
            async move {
                Ok::<_, Infallible>(match prestop {
                    Prestop::Other => respond(&context, &request).await,
                    Prestop::Refused(response) => *response,
                    Prestop::Begin => {
                        waits_for_grace.store(true, Ordering::Relaxed);
                        prestop::begin(&context).await
                    }
                })
            }
        }
    });
    let served = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_SIZE.into())
        .serve_connection(TokioIo::new(stream), service);
    let lifetime = async {
        sleep(LIFETIME).await;
        if waits_for_grace.load(Ordering::Relaxed) {
            context.reached(Phase::Draining).await;
            sleep(HEAD_TIMEOUT).await;
        }
    };
    // Errors of a client that disconnects or sends invalid HTTP are ignored.
    tokio::select! { _ = served => {}, () = lifetime => {} }
}

/// Serves gRPC, and the same probes as on HTTP/1.1, for as long as the client responds to pings.
#[cfg(feature = "tonic")]
async fn http2(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, context: Context) {
    let health = grpc::HealthService::for_probes(context.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let response = match grpc::is_grpc(&request) {
            true => Ok(health.respond(request)),
            false => Err(respond(&context, &request)),
        };
        async move {
            Ok::<_, Infallible>(match response {
                Ok(call) => call.await,
                Err(probe) => probe.await.map(grpc::Body::new),
            })
        }
    });
    let served = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(15))
        .keep_alive_timeout(LIFETIME)
        .max_concurrent_streams(HTTP2_STREAMS)
        .initial_stream_window_size(16 * 1024)
        .initial_connection_window_size(64 * 1024)
        .max_header_list_size(HEAD_SIZE.into())
        .max_send_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let _ = served.await;
}
