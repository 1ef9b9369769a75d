//! A prober, as the kubelet is one: a new connection for every probe.

use crate::{Client, PATIENCE, Response};
use std::{
    io,
    net::SocketAddr,
    sync::mpsc::{self, Receiver},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Asks the health server once.
///
/// # Errors
/// What the socket says.
pub fn probe(health: SocketAddr, path: &str) -> io::Result<Response> {
    Client::connect(health)?.try_get(path)
}

/// Asks the health server until its answer has this status, and this in its body.
///
/// # Panics
/// It takes too long, or nobody answers.
#[track_caller]
pub fn wait_for(health: SocketAddr, path: &str, status: u16, body: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = probe(health, path).expect("somebody answers");
        if seen.status == status && seen.body.contains(body) {
            return;
        }
        assert!(Instant::now() < deadline, "no {status} `{body}` for {path}, but {seen:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// One answer that a poller was given: to `/readyz?verbose` and to `/livez`.
#[derive(Debug)]
pub struct Answer {
    /// The status and the body of `/readyz?verbose`.
    pub ready: (u16, String),
    /// The status of `/livez`.
    pub live: u16,
}

/// Polls until nobody answers any more.
pub struct Poller {
    thread: JoinHandle<(Vec<Answer>, Instant)>,
    polled: Receiver<()>,
}

impl Poller {
    /// Starts to poll.
    pub fn start(health: SocketAddr) -> Self {
        let (poll, polled) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut answers = Vec::new();
            loop {
                let ask = || Ok::<_, io::Error>((probe(health, "/readyz?verbose")?, probe(health, "/livez")?));
                let Ok((ready, live)) = ask() else {
                    return (answers, Instant::now());
                };
                answers.push(Answer { ready: (ready.status, ready.body), live: live.status });
                let _ = poll.send(()); // whether or not somebody waits for it
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { thread, polled }
    }

    /// Waits until there are this many answers, or nobody answers.
    pub fn polls(&self, times: usize) {
        let _ = (0..times).try_for_each(|_| self.polled.recv_timeout(PATIENCE));
    }

    /// Waits until nobody answers: every answer until then, and when the first one failed to come.
    ///
    /// # Panics
    /// The polling itself panicked.
    pub fn end(self) -> (Vec<Answer>, Instant) {
        self.thread.join().expect("polling does not panic")
    }
}
