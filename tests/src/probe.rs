//! Probes like the kubelet's: a new connection for each.

use crate::{Client, PATIENCE, Response};
use std::{
    io,
    net::SocketAddr,
    sync::mpsc::{self, Receiver},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Probes the health server once.
///
/// # Errors
/// An I/O error of the connection.
pub fn probe(health: SocketAddr, path: &str) -> io::Result<Response> {
    Client::connect(health)?.try_get(path)
}

/// Probes the health server until a response has this status and contains `body`.
///
/// # Panics
/// There is no such response within [`PATIENCE`], or a probe fails.
#[track_caller]
pub fn wait_for(health: SocketAddr, path: &str, status: u16, body: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = probe(health, path).expect("the server responds");
        if seen.status == status && seen.body.contains(body) {
            return;
        }
        assert!(Instant::now() < deadline, "no {status} `{body}` for {path}, but {seen:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The responses of one poll: to `/readyz?verbose` and to `/livez`.
#[derive(Debug)]
pub struct Poll {
    /// The status and the body of `/readyz?verbose`.
    pub ready: (u16, String),
    /// The status of `/livez`.
    pub live: u16,
}

/// Polls until a probe fails.
pub struct Poller {
    thread: JoinHandle<(Vec<Poll>, Instant)>,
    polled: Receiver<()>,
}

impl Poller {
    /// Starts polling.
    pub fn start(health: SocketAddr) -> Self {
        let (notify, polled) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut polls = Vec::new();
            loop {
                let poll = || Ok::<_, io::Error>((probe(health, "/readyz?verbose")?, probe(health, "/livez")?));
                let Ok((ready, live)) = poll() else {
                    return (polls, Instant::now());
                };
                polls.push(Poll { ready: (ready.status, ready.body), live: live.status });
                let _ = notify.send(()); // fails once the poller is dropped
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { thread, polled }
    }

    /// Waits for this many polls, or until a probe fails.
    pub fn wait_for_polls(&self, times: usize) {
        let _ = (0..times).try_for_each(|_| self.polled.recv_timeout(PATIENCE));
    }

    /// Waits until a probe fails. Returns all polls and the time of the failure.
    ///
    /// # Panics
    /// The polling thread panicked.
    pub fn end(self) -> (Vec<Poll>, Instant) {
        self.thread.join().expect("polling doesn't panic")
    }
}
