//! An app as a process of its own.

use crate::{Client, Ended, Lines, PATIENCE, Signal};
use rustix::process::{Pid, kill_process};
use std::{
    ffi::OsStr,
    io::Write,
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// An app that is about to start, with its health server on a free port.
pub struct App(Command);

impl App {
    /// The app with this executable, and an environment that says nothing about graceful but the health address.
    pub fn new(executable: impl AsRef<OsStr>) -> Self {
        Self::of(Command::new(executable))
    }

    /// The app with this executable, under a limit of open files.
    pub fn with_open_files(executable: &str, limit: u32) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -n {limit}; exec \"$0\"")).arg(executable);
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GRACEFUL_") {
                command.env_remove(name);
            }
        }
        command.env("GRACEFUL_HEALTH", "127.0.0.1:0").env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    /// Sends what it says elsewhere: this harness does not see it then.
    #[must_use]
    pub fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.0.stderr(to);
        self
    }

    /// The same for what it prints.
    #[must_use]
    pub fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.0.stdout(to);
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        let mut child = self.0.spawn().expect("the app starts");
        Running {
            stdin: child.stdin.take(),
            printed: child.stdout.take().map_or_else(Lines::none, Lines::of),
            said: child.stderr.take().map_or_else(Lines::none, Lines::of),
            child,
        }
    }

    /// Starts it and waits until it has ended by itself.
    pub fn run(self) -> Ended {
        self.start().end()
    }
}

/// An app that runs; killed when it is dropped.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    printed: Lines,
    said: Lines,
}

impl Running {
    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the app has not been reaped");
    }

    /// Gives the app a line on its standard input, see [`stage`](crate::stage).
    pub fn tell(&mut self, command: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is a pipe");
        writeln!(stdin, "{command}").and_then(|()| stdin.flush()).expect("the app reads its stdin");
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line on stderr.
    pub fn says(&self, part: &str) -> String {
        self.said.find(part).unwrap_or_else(|| panic!("stderr has no line with `{part}`\n{}", self.so_far()))
    }

    /// Waits for a line on stdout.
    pub fn prints(&self, part: &str) -> String {
        self.prints_times(part, 1)
    }

    /// Waits for the nth line of this kind on stdout.
    pub fn prints_times(&self, part: &str, times: usize) -> String {
        let found = self.printed.find_nth(part, times);
        found.unwrap_or_else(|| panic!("stdout has no {times} lines with `{part}`\n{}", self.so_far()))
    }

    /// Waits until the app is ready, and gives the address of its traffic.
    pub fn ready(&self) -> SocketAddr {
        self.says("serving: ready");
        self.address()
    }

    /// Waits until the app has printed the address of its traffic.
    pub fn address(&self) -> SocketAddr {
        let line = self.prints("serving on ");
        line.rsplit(' ').next().and_then(|address| address.parse().ok()).expect("the line ends with an address")
    }

    /// The address of the health server.
    pub fn health(&self) -> SocketAddr {
        let line = self.says("probes on http://");
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        address.and_then(|address| address.parse().ok()).expect("the line names an address")
    }

    /// A new connection to the traffic, once the app is ready.
    pub fn client(&self) -> Client {
        Client::new(self.ready())
    }

    /// Sends a signal and waits until the app has heard it.
    pub fn begin_shutdown(&self, signal: Signal) -> Instant {
        let sent = Instant::now();
        self.signal(signal);
        self.says(" after SIG");
        sent
    }

    /// Sends SIGTERM and waits until the drain has begun.
    pub fn begin_drain(&self) {
        self.signal(Signal::TERM);
        self.says("draining: ");
    }

    /// Waits until it has ended by itself.
    pub fn end(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("the app is a child") {
                Some(status) => break status,
                None if Instant::now() > deadline => panic!("still running after {PATIENCE:?}\n{}", self.so_far()),
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        let at = Instant::now();
        self.printed.ended();
        self.said.ended();
        Ended { status, at, printed: self.printed.text(), said: self.said.text() }
    }

    /// What the app has written, for messages.
    pub fn so_far(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}\n---", self.printed.text(), self.said.text())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing happens if it has been reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
