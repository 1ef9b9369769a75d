//! A thousand clients at once, through a whole shutdown.

use crate::serve;
use graceful_tests::{Client, PATIENCE, Signal, raise_the_limit_of_open_files};
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
const GRACE: Duration = Duration::from_secs(3);

/// What the clients know of the shutdown.
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

    /// The time at which a client sends its last request, which is answered in the drain.
    fn nearly_over(&self) -> bool {
        self.signalled.get().is_some_and(|at| at.elapsed() >= GRACE.mul_f32(0.6))
    }
}

/// Asks and asks; moves when it is told to; its last request is in flight when the drain begins.
fn client(mut connection: Client, address: SocketAddr, progress: &Progress, answered: &Sender<()>) -> io::Result<()> {
    loop {
        let last = progress.nearly_over();
        let path = if last { "/slow?ms=2000" } else { "/fast" };
        let asked = progress.since_the_signal();
        let response = connection.try_get(path).map_err(|error| {
            let now = progress.since_the_signal();
            io::Error::other(format!("{error:?} for {path}, asked {asked:?} and failed {now:?} after the signal"))
        })?;
        if response.status != 200 || !response.body.ends_with('\n') {
            return Err(io::Error::other(format!("{response:?}")));
        }
        let _ = answered.send(()); // nobody counts them in the end
        if last {
            return Ok(());
        }
        if response.says_close() {
            connection = match Client::connect(address) {
                // Elsewhere there would be another pod.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused && progress.grace_is_over() => return Ok(()),
                connected => connected?,
            };
        } else {
            // A pace that two processors hold; most connections are idle at any time, as they are in life.
            thread::sleep(Duration::from_millis(150));
        }
    }
}

#[test]
fn a_thousand_connections_go_through_a_shutdown_and_no_request_fails() {
    raise_the_limit_of_open_files();
    let app = serve().env("GRACEFUL_GRACE", "3s").env("GRACEFUL_DRAIN", "10s").start();
    let address = app.ready();
    let (progress, connected) = (Arc::new(Progress::default()), Arc::new(Barrier::new(CLIENTS + 1)));
    let (answered, answers) = mpsc::channel();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (progress, connected, answered) = (progress.clone(), connected.clone(), answered.clone());
            let run = move || {
                let connection = Client::connect(address);
                connected.wait();
                client(connection?, address, &progress, &answered)
            };
            thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap()
        })
        .collect();
    drop(answered);
    connected.wait();
    let _ = (0..2 * CLIENTS).try_for_each(|_| answers.recv_timeout(PATIENCE)); // fewer only if all have failed
    drop(answers);
    progress.signalled.set(Instant::now()).unwrap();
    app.signal(Signal::TERM);
    let failures: Vec<_> = clients.into_iter().filter_map(|client| client.join().unwrap().err()).collect();
    let ended = app.end();
    assert!(failures.is_empty(), "{} failed: {:?}\n{}", failures.len(), &failures[..failures.len().min(9)], ended.said);
    ended.with_code(0).says_in_order(&["draining: waiting up to 10s for main, ", " of connections on"]);
}
