//! A thousand clients during a shutdown.

use crate::serve;
use graceful_tests::{Client, PATIENCE, Signal, raise_open_file_limit};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::{
        Arc, Barrier, OnceLock,
        mpsc::{self, Sender},
    },
    thread,
    time::{Duration, Instant},
};

const CLIENTS: usize = 1000;
const GRACE: Duration = Duration::from_secs(6);

/// The progress of the shutdown, as the clients see it.
#[derive(Default)]
struct Progress {
    signalled: OnceLock<Instant>,
}

impl Progress {
    fn since_the_signal(&self) -> Option<Duration> {
        self.signalled.get().map(Instant::elapsed)
    }

    fn grace_is_over(&self) -> bool {
        self.signalled.get().is_some_and(|at| at.elapsed() >= GRACE)
    }

    /// Whether it is time for a client's last request, which is in flight when the drain begins.
    fn nearly_over(&self) -> bool {
        self.signalled.get().is_some_and(|at| at.elapsed() >= GRACE.mul_f32(0.7))
    }
}

/// Sends requests and reconnects when asked to. The last request is in flight when the drain begins.
fn client(mut connection: Client, address: SocketAddr, progress: &Progress, responded: &Sender<()>) -> io::Result<()> {
    loop {
        let last = progress.nearly_over();
        let path = if last { "/slow?ms=2000" } else { "/fast" };
        let request_sent = progress.since_the_signal();
        let response = connection.try_get(path).map_err(|error| {
            let now = progress.since_the_signal();
            io::Error::other(format!("{error:?} for {path}, sent {request_sent:?} and failed {now:?} after the signal"))
        })?;
        if response.status != 200 || !response.body.ends_with('\n') {
            return Err(io::Error::other(format!("{response:?}")));
        }
        let _ = responded.send(()); // fails once the test stops counting
        if last {
            return Ok(());
        }
        if response.has_connection_close() {
            connection = match Client::connect(address) {
                // With a load balancer, the client would reach another pod.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused && progress.grace_is_over() => return Ok(()),
                connected => connected?,
            };
        } else {
            // A rate that two processors sustain; most connections are idle at any time.
            thread::sleep(Duration::from_millis(400));
        }
    }
}

#[test]
fn no_request_of_a_thousand_clients_fails_during_a_shutdown() {
    raise_open_file_limit();
    let app = serve().env("GRACEFUL_GRACE", "6s").env("GRACEFUL_DRAIN", "10s").start();
    let address = app.ready();
    let (progress, connected) = (Arc::new(Progress::default()), Arc::new(Barrier::new(CLIENTS + 1)));
    let (responded, responses) = mpsc::channel();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (progress, connected, responded) = (progress.clone(), connected.clone(), responded.clone());
            let run = move || {
                let connection = Client::connect(address);
                connected.wait();
                client(connection?, address, &progress, &responded)
            };
            thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap()
        })
        .collect();
    drop(responded);
    connected.wait();
    let _ = (0..2 * CLIENTS).try_for_each(|_| responses.recv_timeout(PATIENCE)); // fewer only if all clients failed
    drop(responses);
    progress.signalled.set(Instant::now()).unwrap();
    app.signal(Signal::TERM);
    let failures: Vec<_> = clients.into_iter().filter_map(|client| client.join().unwrap().err()).collect();
    let ended = app.end();
    assert!(
        failures.is_empty(),
        "{} failed: {:?}\n{}",
        failures.len(),
        &failures[..failures.len().min(9)],
        ended.stderr
    );
    ended.with_code(0).logs_in_order(&["draining: waiting up to 10s for main, ", "connections on"]);
}
