//! The clients: some send requests and keep records of them, others misbehave.

use crate::fault::Fault;
use graceful_tests::{Client, STALLED_BODY};
use std::{
    io::{ErrorKind, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A complete response with this status.
    Answered(u16),
    /// No connection.
    Refused(ErrorKind),
    /// A connection, and no complete response.
    Failed(ErrorKind),
}

/// A request of a client that behaves well.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The number in its URI, by which the app tells that its handler has begun; 0 if the connection was refused.
    pub(crate) number: u32,
    pub(crate) path: &'static str,
    /// Whether it is the first on its connection.
    pub(crate) is_first: bool,
    /// When its connection was there, or was refused.
    pub(crate) connected: Instant,
    pub(crate) ended: Instant,
    pub(crate) outcome: Outcome,
}

/// The pause of a client after a response.
const THINKING: Duration = Duration::from_millis(15);

/// How many connections each kind of idle or slow clients opens.
const CROWD: usize = 100;

/// The clients of one run.
#[derive(Default)]
pub(crate) struct Clients {
    stop: Arc<AtomicBool>,
    numbers: Arc<AtomicU32>,
    requests: Arc<Mutex<Vec<Request>>>,
    threads: Vec<JoinHandle<()>>,
    /// Connections that stay open to the end.
    idle: Vec<TcpStream>,
}

impl Clients {
    fn spawn(&mut self, client: impl FnOnce() + Send + 'static) {
        let thread = thread::Builder::new().stack_size(128 * 1024).spawn(client);
        self.threads.push(thread.expect("the harness has threads"));
    }

    fn recorder(&self) -> Recorder {
        Recorder { numbers: self.numbers.clone(), requests: self.requests.clone() }
    }

    /// Sends requests on kept connections to the end, and a new connection after each close.
    pub(crate) fn steady(&mut self, to: SocketAddr) {
        let (stop, recorder) = (self.stop.clone(), self.recorder());
        self.spawn(move || {
            let mut kept = None;
            while !stop.load(Ordering::Relaxed) {
                kept = recorder.request(to, kept, "/work");
                thread::sleep(THINKING);
            }
        });
    }

    /// Sends one request on a connection of its own, and returns its number.
    pub(crate) fn single(&mut self, to: SocketAddr, path: &'static str) -> u32 {
        let recorder = self.recorder();
        let number = recorder.next();
        self.spawn(move || drop(recorder.numbered(number, to, None, path)));
        number
    }

    /// Commits a fault of clients on the health port, and on the traffic port if there is one.
    pub(crate) fn misbehave(&mut self, fault: Fault, health: SocketAddr, traffic: Option<SocketAddr>) {
        let ports = std::iter::once(health).chain(traffic);
        match fault {
            Fault::ClientsStall => {
                if let Some(to) = traffic {
                    self.stall(to, 5, "GET /work HTTP/1.1\r\nHost:");
                    self.stall(to, 5, &STALLED_BODY.replace("/echo", "/upload"));
                    self.stall(to, 5, "GET /large HTTP/1.1\r\nHost: test\r\n\r\n");
                }
            }
            Fault::ClientsFlood => traffic.iter().for_each(|to| self.flood(*to, "/fast")),
            Fault::ProbesFlood => self.flood(health, "/readyz?verbose"),
            Fault::SlowLoris => ports.for_each(|to| self.slow_loris(to, CROWD)),
            Fault::NoFiles => ports.for_each(|to| self.stall(to, CROWD, "")),
            _ => {}
        }
    }

    /// Sends requests on new connections, one after the other without a pause.
    fn flood(&mut self, to: SocketAddr, path: &'static str) {
        for _ in 0..2 {
            let stop = self.stop.clone();
            self.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    if Client::connect(to).and_then(|mut client| client.try_get(path)).is_err() {
                        thread::sleep(Duration::from_millis(2));
                    }
                }
            });
        }
    }

    /// Opens connections that begin like this and stop.
    fn stall(&mut self, to: SocketAddr, count: usize, beginning: &str) {
        for _ in 0..count {
            if let Ok(mut stream) = TcpStream::connect(to) {
                let _ = stream.write_all(beginning.as_bytes()); // fails if the server has closed the connection
                self.idle.push(stream);
            }
        }
    }

    /// Opens connections that send a head without an end, a byte at a time.
    fn slow_loris(&mut self, to: SocketAddr, count: usize) {
        let mut streams: Vec<_> = (0..count).filter_map(|_| TcpStream::connect(to).ok()).collect();
        let stop = self.stop.clone();
        self.spawn(move || {
            let mut bytes = b"GET /work HTTP/1.1\r\nHost: test\r\nX: ".iter().chain(std::iter::repeat(&b'x'));
            while !stop.load(Ordering::Relaxed) {
                let byte = bytes.next().map_or(b'x', |byte| *byte);
                streams.retain_mut(|stream| stream.write_all(&[byte]).is_ok());
                thread::sleep(Duration::from_millis(100));
            }
        });
    }

    /// Ends every client when the app has exited. Returns the requests.
    pub(crate) fn end(self) -> Vec<Request> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("clients do not panic");
        }
        std::mem::take(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends requests and records them.
struct Recorder {
    numbers: Arc<AtomicU32>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Recorder {
    fn next(&self) -> u32 {
        1 + self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request on the kept connection or a new one. Returns the connection if it can be kept.
    fn request(&self, to: SocketAddr, kept: Option<Client>, path: &'static str) -> Option<Client> {
        self.numbered(self.next(), to, kept, path)
    }

    fn numbered(&self, number: u32, to: SocketAddr, kept: Option<Client>, path: &'static str) -> Option<Client> {
        let is_first = kept.is_none();
        let connection = kept.map_or_else(|| Client::connect(to), Ok);
        let connected = Instant::now();
        let record = |outcome| {
            let request = Request { number, path, is_first, connected, ended: Instant::now(), outcome };
            self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        };
        let mut client = match connection {
            Ok(client) => client,
            Err(error) => {
                record(Outcome::Refused(error.kind()));
                return None;
            }
        };
        match client.try_get(&format!("{path}?{number}")) {
            Ok(response) => {
                record(Outcome::Answered(response.status));
                Some(client).filter(|_| !response.has_connection_close())
            }
            Err(error) => {
                record(Outcome::Failed(error.kind()));
                None
            }
        }
    }
}
