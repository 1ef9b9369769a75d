//! What the apps share: they are directed by lines on their standard input, so that a test decides what is in flight
//! when, and never has to guess how long something takes.

use std::{
    io::{BufRead, Write},
    sync::{Arc, Barrier, Condvar, Mutex, PoisonError},
    thread,
};
use tokio::sync::watch;

/// A gate that the line `release` opens for good.
pub struct Gate {
    open: watch::Sender<bool>,
    blocking: (Mutex<bool>, Condvar),
}

impl Gate {
    /// Waits until it is open.
    pub async fn passed(&self) {
        // The sender lives as long as the gate.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }

    /// The same, blocking the thread.
    pub fn block_until_open(&self) {
        let guard = self.blocking.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.blocking.1.wait_while(guard, |open| !*open));
    }

    fn open(&self) {
        self.open.send_replace(true);
        *self.blocking.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.blocking.1.notify_all();
    }
}

/// Starts to read directions. `block` occupies all `workers` threads of the runtime until `release`.
pub fn direct(context: &graceful::Context, workers: usize) -> Arc<Gate> {
    let gate = Arc::new(Gate { open: watch::channel(false).0, blocking: (Mutex::new(false), Condvar::new()) });
    let (context, opened) = (context.clone(), gate.clone());
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match line.as_str() {
                "release" => opened.open(),
                "block" => block(&context, workers, &opened),
                other => say(format!("unknown direction {other}")),
            }
        }
    });
    gate
}

/// Tasks that meet while each occupies its thread: then every thread is occupied.
fn block(context: &graceful::Context, workers: usize, gate: &Arc<Gate>) {
    let barrier = Arc::new(Barrier::new(workers));
    for _ in 0..workers {
        let (barrier, gate) = (barrier.clone(), gate.clone());
        context.spawn("blocker", async move {
            if barrier.wait().is_leader() {
                say("every worker is blocked");
            }
            gate.block_until_open();
        });
    }
}

/// Prints a line; a closed stdout is no reason to panic.
pub fn say(line: impl AsRef<str>) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{}", line.as_ref()).and_then(|()| stdout.flush());
}

/// What the environment variable of the app says; empty if nothing.
pub fn directed(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
