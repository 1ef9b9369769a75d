//! The health server: probes are answered here, apart from the traffic, until the process exits.

#[cfg(feature = "tonic")]
use super::{grpc, rewind::Rewind};
use super::{
    prestop::{self, Prestop},
    response::{self, Facts},
};
#[cfg(feature = "tonic")]
use crate::serve::preface::First;
use crate::{
    context::{Context, Probe},
    error::StartError,
    phase::Phase,
    report::summary::Level,
};
use graceful_plan::Health;
#[cfg(feature = "tonic")]
use hyper::server::conn::http2;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
#[cfg(feature = "tonic")]
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    collections::VecDeque,
    convert::Infallible,
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::AbortHandle,
    time::{sleep, timeout},
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

/// How many names of what is in flight an answer shows.
const NAMES: usize = 100;

/// How long a user's own answer may take before the usual one is given: the kubelet gives up after 1 s.
const OWN_WORDS_PATIENCE: Duration = Duration::from_millis(200);

/// Takes the address; `None` if there is to be no health server.
///
/// # Errors
/// The address is taken or not of this machine.
pub(crate) fn bind(health: Health) -> Result<Option<TcpListener>, StartError> {
    let Health::At(address) = health else {
        return Ok(None);
    };
    let bound = listen(address).or_else(|error| match address {
        // A machine without IPv6: every IPv4 address is what is left of "every address".
        SocketAddr::V6(v6) if v6.ip().is_unspecified() && error.raw_os_error() == Some(NO_IPV6) => {
            listen(SocketAddr::from((Ipv4Addr::UNSPECIFIED, v6.port())))
        }
        _ => Err(error),
    });
    bound.map(Some).map_err(|error| StartError::Health { address: address.to_string(), error })
}

#[cfg(unix)]
const NO_IPV6: i32 = libc::EAFNOSUPPORT;
/// WSAEAFNOSUPPORT.
#[cfg(windows)]
const NO_IPV6: i32 = 10047;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // Only where it means "may take over an address in TIME_WAIT"; on Windows it would mean "may steal it".
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    Ok(socket.into())
}

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

/// The answer to a request for a probe.
pub(crate) fn respond<B>(context: &Context, request: &Request<B>) -> impl Future<Output = Response<String>> + use<B> {
    let mut decided = response::decide(request, |on| Facts::of(context, on));
    if let Ok((probe, form)) = &mut decided
        && (form.is_detailed() || context.0.answers.get().is_some())
    {
        // Named only where somebody reads it: there may be thousands.
        probe.in_flight = context.0.tracker.remaining();
        let more: usize = probe.in_flight.iter().skip(NAMES).map(|(_, count)| count).sum();
        if more > 0 {
            probe.in_flight.truncate(NAMES);
            probe.in_flight.push(("under further names".to_owned(), more));
        }
    }
    let context = context.clone();
    async move {
        match decided {
            Ok((probe, form)) => in_own_words(&context, &probe).await.unwrap_or_else(|| response::answer(&probe, form)),
            Err(response) => *response,
        }
    }
}

/// The user's own answer, if there is one in time. It runs on the user's runtime: nothing of a user's may hold up this
/// thread.
async fn in_own_words(context: &Context, probe: &Probe) -> Option<Response<String>> {
    let (answers, probe) = (context.0.answers.get()?.clone(), probe.clone());
    let mut task = context.0.runtime.spawn(async move { answers(&probe) });
    match timeout(OWN_WORDS_PATIENCE, &mut task).await {
        Ok(answer) => answer.ok(),
        Err(_) => {
            task.abort(); // if it has not begun, it never will
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{checks::board::Board, context::Shared, report::recorder::Recorder};
    use graceful_plan::Plan;
    use tokio::runtime::Handle;

    #[tokio::test]
    async fn an_answer_names_a_hundred_of_what_is_in_flight_and_counts_the_rest() {
        let board = Board::new([]);
        let (context, _requests) = Shared::open(Plan::DEFAULT, false, board, Recorder::new(|_| {}), Handle::current());
        let ask = async |uri| respond(&context, &Request::get(uri).body(()).unwrap()).await.into_body();
        let task = |number: usize| context.0.tracker.guard(format!("task {number}"));
        let mut tasks: Vec<_> = (1..=100).map(task).collect();
        let all = ask("/readyz?verbose").await;
        assert_eq!(all.matches("in flight: 1 task ").count(), 100, "{all}");
        assert!(all.ends_with("in flight: 1 task 100\n"), "{all}");

        tasks.extend((101..=148).map(task));
        tasks.extend([148, 148].map(task)); // two more under a name that is known
        let shown = ask("/readyz?verbose").await;
        assert_eq!(shown.matches("in flight: 1 task ").count(), 100, "{shown}");
        assert!(shown.ends_with("in flight: 1 task 100\nin flight: 50 under further names\n"), "{shown}");
        assert_eq!(ask("/readyz").await, "starting\n");
    }
}
