//! Clients that never retry, so that a test sees every request that a server loses.

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

/// Between two requests of a client.
const PACE: Duration = Duration::from_millis(2);

/// One connection: each call is a request and its answer, and says whether the client is told to close.
pub type Exchange = Box<dyn FnMut() -> io::Result<bool>>;

/// Clients at work. They behave as good ones do: they go when an answer says `Connection: close`, and come back over a
/// new connection, unless the server has been forgotten meanwhile.
pub struct Traffic {
    clients: Vec<JoinHandle<()>>,
    seen: Arc<Seen>,
    exchanges: Receiver<bool>,
}

struct Seen {
    forgotten: AtomicBool,
    answers: AtomicUsize,
    failures: Mutex<Vec<String>>,
    /// Whether each exchange had an answer.
    exchanged: Sender<bool>,
}

impl Traffic {
    /// Starts so many clients with keep-alive, and as many with a new connection for each request.
    pub fn start(to: SocketAddr, path: &'static str, clients: usize) -> Self {
        Self::over(clients, move || {
            let mut client = Client::connect(to)?;
            Ok(Box::new(move || {
                let response = client.try_get(path)?;
                match response.status {
                    200 => Ok(response.says_close()),
                    status => Err(io::Error::other(format!("status {status}"))),
                }
            }))
        })
    }

    /// The same over any kind of connection.
    pub fn over(clients: usize, connect: impl Fn() -> io::Result<Exchange> + Clone + Send + 'static) -> Self {
        let (exchanged, exchanges) = mpsc::channel();
        let (forgotten, answers, failures) = Default::default();
        let seen = Arc::new(Seen { forgotten, answers, failures, exchanged });
        let client = |number| {
            let (connect, seen) = (connect.clone(), seen.clone());
            thread::spawn(move || seen.client(&connect, number % 2 == 0))
        };
        Self { clients: (0..2 * clients).map(client).collect(), seen, exchanges }
    }

    /// Waits until there are so many answers more, or a failure.
    #[track_caller]
    pub fn goes_on(&self, answers: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.exchanges.try_recv().is_ok() {} // before
        for _ in 0..answers {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.exchanges.recv_timeout(left) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => panic!("no {answers} more answers within {PATIENCE:?}"),
            }
        }
    }

    /// The load balancer forgets the server: no new connections; those that there are live until they are told to close.
    pub fn is_forgotten(&self) {
        self.seen.forgotten.store(true, Ordering::Relaxed);
    }

    /// Waits until every client has gone.
    ///
    /// # Panics
    /// A request has failed.
    #[track_caller]
    pub fn lost_nothing(self) {
        self.is_forgotten();
        for client in self.clients {
            client.join().expect("clients do not panic");
        }
        let failures = self.seen.failures();
        let answers = self.seen.answers.load(Ordering::Relaxed);
        assert!(
            failures.is_empty(),
            "{} of {} requests failed: {failures:?}",
            failures.len(),
            answers + failures.len()
        );
    }
}

impl Seen {
    fn client(&self, connect: &impl Fn() -> io::Result<Exchange>, keeps_alive: bool) {
        let mut kept: Option<Exchange> = None;
        loop {
            let exchange = match kept.take() {
                Some(exchange) => Ok(exchange),
                None if self.forgotten.load(Ordering::Relaxed) => return,
                None => connect(),
            };
            let answered = exchange.and_then(|mut exchange| Ok((exchange()?, exchange)));
            match answered {
                Ok((told_to_close, exchange)) => {
                    self.answers.fetch_add(1, Ordering::Relaxed);
                    let _ = self.exchanged.send(true); // whether or not somebody waits for it
                    kept = Some(exchange).filter(|_| keeps_alive && !told_to_close);
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
