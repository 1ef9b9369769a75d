//! Clients without retries, so that a test observes every failed request.

use crate::{Client, PATIENCE};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// The pause between two requests of a client.
const PACE: Duration = Duration::from_millis(2);

/// One connection. Each call exchanges a request and returns whether the response has `Connection: close`.
pub type Exchange = Box<dyn FnMut() -> io::Result<bool>>;

/// Running clients. A client reconnects after a response with `Connection: close`, unless
/// [`stop_reconnecting`](Self::stop_reconnecting) was called.
pub struct Traffic {
    clients: Vec<JoinHandle<()>>,
    seen: Arc<Seen>,
    exchanges: Receiver<bool>,
}

struct Seen {
    stopped: AtomicBool,
    responses: AtomicUsize,
    failures: Mutex<Vec<String>>,
    /// Whether each exchange succeeded.
    exchanged: Sender<bool>,
}

impl Traffic {
    /// Starts this many clients with keep-alive, and as many with a new connection for each request.
    pub fn start(to: SocketAddr, path: &'static str, clients: usize) -> Self {
        Self::over(clients, move || {
            let mut client = Client::connect(to)?;
            Ok(Box::new(move || {
                let response = client.try_get(path)?;
                match response.status {
                    200 => Ok(response.has_connection_close()),
                    status => Err(io::Error::other(format!("status {status}"))),
                }
            }))
        })
    }

    /// Starts clients over any kind of connection, as [`start`](Self::start) does.
    pub fn over(clients: usize, connect: impl Fn() -> io::Result<Exchange> + Clone + Send + 'static) -> Self {
        let (exchanged, exchanges) = mpsc::channel();
        let (stopped, responses, failures) = Default::default();
        let seen = Arc::new(Seen { stopped, responses, failures, exchanged });
        let client = |number| {
            let (connect, seen) = (connect.clone(), seen.clone());
            thread::spawn(move || seen.client(&connect, number % 2 == 0))
        };
        Self { clients: (0..2 * clients).map(client).collect(), seen, exchanges }
    }

    /// Waits for this many further responses, or a failure.
    #[track_caller]
    pub fn wait_for_responses(&self, responses: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.exchanges.try_recv().is_ok() {} // discards earlier ones
        for _ in 0..responses {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.exchanges.recv_timeout(left) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => panic!("no {responses} further responses within {PATIENCE:?}"),
            }
        }
    }

    /// Stops opening connections, as a load balancer does when it removes the server. Open connections are used until a
    /// response has `Connection: close`.
    pub fn stop_reconnecting(&self) {
        self.seen.stopped.store(true, Ordering::Relaxed);
    }

    /// Stops reconnecting and waits until every client ends.
    ///
    /// # Panics
    /// A request failed.
    #[track_caller]
    pub fn expect_no_failures(self) {
        self.stop_reconnecting();
        for client in self.clients {
            client.join().expect("clients don't panic");
        }
        let failures = self.seen.failures();
        let responses = self.seen.responses.load(Ordering::Relaxed);
        assert!(
            failures.is_empty(),
            "{} of {} requests failed: {failures:?}",
            failures.len(),
            responses + failures.len()
        );
    }
}

impl Seen {
    fn client(&self, connect: &impl Fn() -> io::Result<Exchange>, keeps_alive: bool) {
        let mut kept: Option<Exchange> = None;
        loop {
            let exchange = match kept.take() {
                Some(exchange) => Ok(exchange),
                None if self.stopped.load(Ordering::Relaxed) => return,
                None => connect(),
            };
            let result = exchange.and_then(|mut exchange| Ok((exchange()?, exchange)));
            match result {
                Ok((close, exchange)) => {
                    self.responses.fetch_add(1, Ordering::Relaxed);
                    let _ = self.exchanged.send(true); // fails once the test ends
                    kept = Some(exchange).filter(|_| keeps_alive && !close);
                }
                Err(error) => {
                    self.failures().push(error.to_string());
                    let _ = self.exchanged.send(false);
                }
            }
            thread::sleep(PACE);
        }
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
