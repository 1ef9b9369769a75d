//! The health server: accepts connections, limits them, and speaks HTTP/1.1 (and HTTP/2 for gRPC) on them.

#[cfg(feature = "tonic")]
use super::{grpc, rewind::Rewind};
use super::{
    prestop::{self, Prestop},
    service::respond,
};
#[cfg(feature = "tonic")]
use crate::serve::preface::First;
use crate::{context::Context, phase::Phase, report::timeline::Level};
#[cfg(feature = "tonic")]
use hyper::server::conn::http2;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
#[cfg(feature = "tonic")]
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    collections::VecDeque,
    convert::Infallible,
    future::Future,
    io,
    net::TcpListener,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
#[cfg(feature = "tonic")]
use tokio::time::timeout;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::AbortHandle,
    time::sleep,
};

/// More connections than this are never probes: the oldest goes, so that a probe always gets in.
const CONNECTIONS: usize = 64;
/// Connections that speak HTTP/2 have places of their own, as their Watch streams last.
#[cfg(feature = "tonic")]
const HTTP2_CONNECTIONS: usize = 128;
/// A connection of gRPC probes has a few streams, with small requests.
#[cfg(feature = "tonic")]
const HTTP2_STREAMS: u32 = 32;
/// A probe sends its head at once: the kubelet gives up on the whole probe after 1 s by default.
const HEAD_TIMEOUT: Duration = Duration::from_secs(2);
/// No HTTP/1.1 connection lives longer than this, whatever it does, nor one that has not said what it speaks.
const LIFETIME: Duration = Duration::from_secs(5);

/// Answers probes for as long as the current runtime lives, or until it is aborted.
///
/// # Errors
/// The listener cannot be registered with the runtime.
pub(crate) fn start(listener: TcpListener, context: Context) -> io::Result<AbortHandle> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let server = tokio::spawn(async move {
        let server = Server {
            context,
            probes: Places::new(CONNECTIONS),
            #[cfg(feature = "tonic")]
            http2: Arc::new(Places::new(HTTP2_CONNECTIONS)),
        };
        let mut told = false;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => server.admit(stream),
                // Out of file descriptors, most likely: those of other connections come back.
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        let text = format!("the health server cannot accept: {error}");
                        server.context.0.recorder.note(Level::Warn, text);
                    }
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    });
    Ok(server.abort_handle())
}

/// The tasks of connections of one kind.
struct Places {
    limit: usize,
    taken: Mutex<VecDeque<AbortHandle>>,
}

impl Places {
    fn new(limit: usize) -> Self {
        Self { limit, taken: Mutex::default() }
    }

    /// Starts the task of one more connection, in the place of the oldest if there is no other.
    fn take(&self, connection: impl Future<Output: Send> + Send + 'static) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|task| !task.is_finished());
        if taken.len() >= self.limit {
            taken.pop_front().iter().for_each(AbortHandle::abort);
        }
        taken.push_back(tokio::spawn(connection).abort_handle());
    }
}

/// With the health server end its connections: it can be in somebody else's runtime, which goes on.
impl Drop for Places {
    fn drop(&mut self) {
        let taken = self.taken.get_mut().unwrap_or_else(PoisonError::into_inner);
        taken.iter().for_each(AbortHandle::abort);
    }
}

struct Server {
    context: Context,
    probes: Places,
    #[cfg(feature = "tonic")]
    http2: Arc<Places>,
}

impl Server {
    #[cfg(not(feature = "tonic"))]
    fn admit(&self, stream: TcpStream) {
        self.probes.take(http1(stream, self.context.clone()));
    }

    #[cfg(feature = "tonic")]
    fn admit(&self, mut stream: TcpStream) {
        let (context, http2_places) = (self.context.clone(), self.http2.clone());
        let connection = async move {
            let mut first = First::default();
            let is_http2 = std::future::poll_fn(|cx| first.poll_is_http2(&mut stream, cx));
            match timeout(HEAD_TIMEOUT, is_http2).await {
                Ok(Ok(true)) => http2_places.take(http2(Rewind::new(first, stream), context)),
                Ok(Ok(false)) => http1(Rewind::new(first, stream), context).await,
                Ok(Err(_)) | Err(_) => {}
            }
        };
        self.probes.take(connection);
    }
}

async fn http1(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, context: Context) {
    let waits_for_grace = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let (context, waits_for_grace) = (context.clone(), waits_for_grace.clone());
        move |request: Request<Incoming>| {
            let asked = Prestop::of(context.0.prestop_token.get().map(String::as_str), &request);
            let (context, waits_for_grace) = (context.clone(), waits_for_grace.clone());
            async move {
                Ok::<_, Infallible>(match asked {
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
        .serve_connection(TokioIo::new(stream), service);
    let lifetime = async {
        sleep(LIFETIME).await;
        if waits_for_grace.load(Ordering::Relaxed) {
            context.reached(Phase::Draining).await;
            sleep(HEAD_TIMEOUT).await;
        }
    };
    // A prober that goes away or sends nonsense is its own affair.
    tokio::select! { _ = served => {}, () = lifetime => {} }
}

/// gRPC, and the same probes as on HTTP/1.1, for as long as the client answers pings.
#[cfg(feature = "tonic")]
async fn http2(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, context: Context) {
    let health = grpc::HealthService::for_probes(context.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = match grpc::is_grpc(&request) {
            true => Ok(health.answer(request)),
            false => Err(respond(&context, &request)),
        };
        async move {
            Ok::<_, Infallible>(match answer {
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
        .max_header_list_size(16 * 1024)
        .max_send_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let _ = served.await;
}
