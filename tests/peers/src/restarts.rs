//! A server that restarts again and again on one port, and never leaves it: each process has the same listening socket,
//! and the next one is ready before the last one gets SIGTERM. So a call can fail only on a connection that was accepted.

use crate::site::Copy;
use graceful_tests::{App, Running, Signal};
use std::{
    ffi::OsString,
    io,
    net::{SocketAddr, TcpListener},
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The time from the end of a process to the start of the next one.
const PAUSE: Duration = Duration::from_millis(30);

/// A server.
#[derive(Debug, Clone)]
pub struct Server {
    /// What it is.
    pub copy: Copy,
    /// Its executable.
    pub executable: OsString,
    /// How long it serves after the signal, if it is ours.
    pub grace: Duration,
    /// Whether it speaks TLS.
    pub tls: bool,
}

/// What restarts have come to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Restarted {
    /// Processes that ended.
    pub times: u64,
    /// Those of them that cut a connection, and so ended with exit code 3.
    pub cut: u64,
}

/// Restarts of a server.
pub struct Restarts {
    /// Where it serves.
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Restarted>,
}

impl Restarts {
    /// Starts the server, waits until it is ready, and begins to restart it.
    ///
    /// # Errors
    /// No port is free.
    pub fn start(server: Server) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, stop) = (listener.local_addr()?, Arc::new(AtomicBool::new(false)));
        let mut running = server.start(&listener)?;
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let mut restarted = Restarted::default();
            let mut end = |running: Running| {
                running.signal(Signal::TERM);
                let ended = running.end();
                restarted.times += 1;
                if ended.code() == Some(3) {
                    restarted.cut += 1;
                    eprintln!("{}", ended.all());
                } else {
                    ended.with_code(0);
                }
            };
            while !stopped.load(Ordering::Relaxed) {
                thread::sleep(PAUSE);
                let next = server.start(&listener).expect("a process starts again");
                end(std::mem::replace(&mut running, next));
            }
            end(running);
            restarted
        });
        Ok(Self { address, stop, thread })
    }

    /// Ends the server.
    ///
    /// # Panics
    /// A process ended with neither 0 nor 3.
    pub fn finish(self) -> Restarted {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("each process ends with exit code 0 or 3")
    }
}

impl Server {
    fn start(&self, listener: &TcpListener) -> io::Result<Running> {
        let socket = OwnedFd::from(listener.try_clone()?);
        let mut app = App::new(&self.executable).env("LISTEN", "stdin").stdin(socket);
        if self.tls {
            app = app.env("TLS", "1");
        }
        let running = app.env("GRACEFUL_GRACE", format!("{}ms", self.grace.as_millis())).start();
        match self.copy {
            Copy::Graceful => running.ready(),
            Copy::Plain => running.address(),
        };
        Ok(running)
    }
}
