//! Controls an app by lines on its standard input, so that a test decides what is in flight and never relies on
//! durations.

use std::{
    fs::File,
    io::{BufRead, Write},
    sync::{Arc, Barrier, Condvar, Mutex, PoisonError, mpsc},
    thread,
};
use tokio::sync::watch;

/// A gate that opens once and stays open, for [`read_commands`] at the line `release`.
pub struct Gate {
    open: watch::Sender<bool>,
    blocking: (Mutex<bool>, Condvar),
}

impl Default for Gate {
    fn default() -> Self {
        Self { open: watch::channel(false).0, blocking: (Mutex::new(false), Condvar::new()) }
    }
}

impl Gate {
    /// Waits until the gate is open.
    pub async fn passed(&self) {
        // Can't fail, because the gate owns the sender.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }

    /// Blocks the thread until the gate is open.
    pub fn block_until_open(&self) {
        let guard = self.blocking.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.blocking.1.wait_while(guard, |open| !*open));
    }

    /// Opens the gate.
    pub fn open(&self) {
        self.open.send_replace(true);
        *self.blocking.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.blocking.1.notify_all();
    }
}

/// Starts to read commands. `block` blocks all `workers` threads of the runtime until `release`; `take files` opens files
/// until none can be opened, for as long as the process lives.
pub fn read_commands(context: &graceful::Context, workers: usize) -> Arc<Gate> {
    let gate = Arc::new(Gate::default());
    let (context, opened) = (context.clone(), gate.clone());
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match line.as_str() {
                "release" => opened.open(),
                "block" => block(&context, workers, &opened, || print_line("every worker is blocked")),
                "take files" => {
                    while let Ok(file) = File::open("/dev/null") {
                        std::mem::forget(file);
                    }
                    print_line("no descriptor is left");
                }
                other => print_line(format!("unknown command {other}")),
            }
        }
    });
    gate
}

/// Blocks all `workers` threads of the runtime until the gate opens, and calls `blocked` once they are.
///
/// The tasks meet at a barrier, so that each blocks another thread. One starts after the other: a worker takes
/// several new tasks at once, and those behind the one that blocks it may never be taken by another worker.
pub fn block(context: &graceful::Context, workers: usize, gate: &Arc<Gate>, blocked: fn()) {
    let barrier = Arc::new(Barrier::new(workers));
    let (start, started) = mpsc::channel();
    for _ in 0..workers {
        let (barrier, gate, start) = (barrier.clone(), gate.clone(), start.clone());
        context.spawn("blocker", async move {
            let _ = start.send(());
            if barrier.wait().is_leader() {
                blocked();
            }
            gate.block_until_open();
        });
        let _ = started.recv(); // fails only if the runtime has ended
    }
}

/// Prints a line. Ignores a closed stdout.
pub fn print_line(line: impl AsRef<str>) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{}", line.as_ref()).and_then(|()| stdout.flush());
}

/// The value of the environment variable, or an empty string.
pub fn env_var(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
