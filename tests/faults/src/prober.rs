//! Probes `/livez` and `/readyz` in turn until the process has exited.

use graceful_tests::{PATIENCE, probe};
use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// The pause between two pairs of probes.
const PERIOD: Duration = Duration::from_millis(25);

/// One probe.
#[derive(Debug, Clone)]
pub(crate) struct Poll {
    pub(crate) path: &'static str,
    pub(crate) begun: Instant,
    pub(crate) ended: Instant,
    /// The status, or why there was no response.
    pub(crate) status: Result<u16, ErrorKind>,
}

/// Probes in the background.
pub(crate) struct Prober {
    exited: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Poll>>,
}

impl Prober {
    /// Starts to probe, and waits for the first two probes.
    pub(crate) fn start(health: SocketAddr) -> Self {
        let exited = Arc::new(AtomicBool::new(false));
        let seen = exited.clone();
        let (probed, first) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut polls = Vec::new();
            while !seen.load(Ordering::Relaxed) {
                for path in ["/livez", "/readyz"] {
                    let begun = Instant::now();
                    let status = probe(health, path).map(|response| response.status).map_err(|error| error.kind());
                    polls.push(Poll { path, begun, ended: Instant::now(), status });
                }
                let _ = probed.send(()); // only the first is waited for
                thread::sleep(PERIOD);
            }
            polls
        });
        let _ = first.recv_timeout(PATIENCE); // the invariants judge a process that does not respond
        Self { exited, thread }
    }

    /// Ends when the process has exited. Returns the probes.
    pub(crate) fn end(self) -> Vec<Poll> {
        self.exited.store(true, Ordering::Relaxed);
        self.thread.join().expect("the prober does not panic")
    }
}
