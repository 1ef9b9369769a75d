//! Apps as child processes.

use crate::{Client, Ended, Lines, PATIENCE, Signal};
use rustix::process::{Pid, WaitId, WaitIdOptions, kill_process, waitid};
use std::{
    ffi::OsStr,
    io::Write,
    net::SocketAddr,
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// An app to start, with its health server on a free port.
pub struct App(Command);

impl App {
    /// The app with this executable. Its environment has no variable of graceful except the health address.
    pub fn new(executable: impl AsRef<OsStr>) -> Self {
        Self::of(Command::new(executable))
    }

    /// The app with this executable and a limit of open files.
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

    /// Runs the app as this user; only root may.
    #[must_use]
    pub fn user(mut self, id: u32) -> Self {
        self.0.uid(id);
        self
    }

    /// Gives the app this standard input, so that [`Running::send_line`] is not possible.
    #[must_use]
    pub fn stdin(mut self, from: impl Into<Stdio>) -> Self {
        self.0.stdin(from);
        self
    }

    /// Puts the app in a process group of its own, so that the processes that it leaves can be found.
    #[must_use]
    pub fn own_process_group(mut self) -> Self {
        self.0.process_group(0);
        self
    }

    /// Redirects stderr, which the harness then doesn't collect.
    #[must_use]
    pub fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.0.stderr(to);
        self
    }

    /// Redirects stdout, which the harness then doesn't collect.
    #[must_use]
    pub fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.0.stdout(to);
        self
    }

    /// Starts the app.
    pub fn start(mut self) -> Running {
        let mut child = self.0.spawn().expect("the app starts");
        Running {
            stdin: child.stdin.take(),
            stdout: child.stdout.take().map_or_else(Lines::none, Lines::of),
            stderr: child.stderr.take().map_or_else(Lines::none, Lines::of),
            child,
        }
    }

    /// Starts the app and waits until it exits.
    pub fn run(self) -> Ended {
        self.start().end()
    }
}

/// A running app. Dropping it kills the process.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines,
    stderr: Lines,
}

impl Running {
    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the app has not been reaped");
    }

    /// Sends SIGSTOP and waits until every thread is stopped: until then a thread that is woken still runs.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        let stopped = waitid(WaitId::Pid(Pid::from_child(&self.child)), WaitIdOptions::STOPPED);
        stopped.expect("the app is a child");
    }

    /// Writes a line to the app's standard input, see [`stage`](crate::stage).
    pub fn send_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is a pipe");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).expect("the app reads its stdin");
    }

    /// The process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line on stderr that contains `part`.
    pub fn logs(&self, part: &str) -> String {
        self.stderr.find(part).unwrap_or_else(|| panic!("stderr has no line with `{part}`\n{}", self.so_far()))
    }

    /// Waits for a line on stderr that contains `part`; false if the app ends without it.
    pub fn logs_unless_it_ends(&self, part: &str) -> bool {
        self.stderr.find(part).is_some()
    }

    /// Waits for a line on stdout that contains `part`.
    pub fn prints(&self, part: &str) -> String {
        self.prints_times(part, 1)
    }

    /// Waits until `times` lines on stdout contain `part`, and returns the last of them.
    pub fn prints_times(&self, part: &str, times: usize) -> String {
        let found = self.stdout.find_nth(part, times);
        found.unwrap_or_else(|| panic!("stdout has no {times} lines with `{part}`\n{}", self.so_far()))
    }

    /// Waits until the app is ready and returns the address of its traffic port.
    pub fn ready(&self) -> SocketAddr {
        self.logs("serving: ready");
        self.address()
    }

    /// Waits until the app prints the address of its traffic port.
    pub fn address(&self) -> SocketAddr {
        let line = self.prints("serving on ");
        line.rsplit(' ').next().and_then(|address| address.parse().ok()).expect("the line ends with an address")
    }

    /// The address of the health server.
    pub fn health(&self) -> SocketAddr {
        let line = self.logs("probes on http://");
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        address.and_then(|address| address.parse().ok()).expect("the line contains an address")
    }

    /// Waits until the app is ready and connects to its traffic port.
    pub fn client(&self) -> Client {
        Client::new(self.ready())
    }

    /// Sends a signal and waits until the app logs it.
    pub fn begin_shutdown(&self, signal: Signal) -> Instant {
        let sent = Instant::now();
        self.signal(signal);
        self.logs(" after SIG");
        sent
    }

    /// Sends SIGTERM and waits until the drain begins.
    pub fn begin_drain(&self) {
        self.signal(Signal::TERM);
        self.logs("draining: ");
    }

    /// Whether the app still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the app is a child").is_none()
    }

    /// Waits until the app exits.
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
        self.stdout.ended();
        self.stderr.ended();
        Ended { status, at, stdout: self.stdout.text(), stderr: self.stderr.text() }
    }

    /// The output so far, for messages.
    pub fn so_far(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}\n---", self.stdout.text(), self.stderr.text())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only if the process is reaped already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
