//! Ends the process even if some of its threads are stuck.

use crate::report::termination_log::last_message_within;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

/// The last resort: a thread that ends the process after a time, whatever its other threads do. The thread exists from
/// the start, because the system may refuse one later.
#[derive(Debug)]
pub(crate) struct LastResort(mpsc::Sender<Armed>);

struct Armed {
    limit: Duration,
    margin: Duration,
    report: Box<dyn FnOnce() -> LastReport + Send>,
}

/// What the last resort reports.
pub(crate) struct LastReport {
    pub(crate) exit_code: u8,
    /// The message for the termination log and for stderr; `None` if the control thread writes it.
    pub(crate) message: Option<String>,
}

impl LastResort {
    /// Starts the thread, which writes to this termination log.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub(crate) fn start(termination_log: Option<PathBuf>) -> io::Result<Self> {
        let (sender, armed) = mpsc::channel::<Armed>();
        let end = move || {
            if let Ok(armed) = armed.recv() {
                armed.end_process(termination_log);
            }
        };
        thread::Builder::new().name("graceful-end".into()).spawn(end)?;
        Ok(Self(sender))
    }

    /// Ends the process when three quarters of the margin after this limit are over, unless it has exited before, with the
    /// message and the exit code of the report. Only the first call has an effect.
    pub(crate) fn arm(&self, limit: Duration, margin: Duration, report: impl FnOnce() -> LastReport + Send + 'static) {
        // Fails only if the thread has ended the process.
        let _ = self.0.send(Armed { limit, margin, report: Box::new(report) });
    }
}

impl Armed {
    fn end_process(self, termination_log: Option<PathBuf>) {
        thread::sleep(self.limit);
        // A process that was stopped (SIGSTOP) wakes up behind its deadlines: the control thread still ends in order.
        thread::sleep(self.margin / 2);
        let limit = self.margin / 4;
        let report = (self.report)();
        match report.message {
            Some(message) => drop(last_message_within(limit, termination_log, message)),
            None => thread::sleep(limit),
        }
        exit_now(report.exit_code);
    }
}

/// How long the threads of [`check_threads`] have to exit.
const THREAD_EXIT: Duration = Duration::from_secs(1);

/// Whether the system grants this many threads at once. They have exited when this returns, so that others fit in.
///
/// # Errors
/// The system refuses one of them.
pub(crate) fn check_threads(count: usize) -> io::Result<()> {
    let (threads, granted) = run_threads(count);
    wait_for_exit(&threads);
    granted
}

/// Waits until these threads have exited: the system counts them until then, which is later than the end of their
/// functions.
fn wait_for_exit(threads: &[PathBuf]) {
    let begun = Instant::now();
    while threads.iter().any(|thread| thread.exists()) && begun.elapsed() < THREAD_EXIT {
        thread::sleep(Duration::from_micros(50));
    }
}

/// Starts this many threads and ends them. Returns their entries in `/proc`, if there is one.
fn run_threads(count: usize) -> (Vec<PathBuf>, io::Result<()>) {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        let closed = gate.lock();
        let wait = || {
            drop(gate.lock());
            fs::read_link("/proc/thread-self").ok()
        };
        let mut started = Vec::new();
        let granted = (0..count).try_for_each(|_| {
            started.push(thread::Builder::new().spawn_scoped(scope, wait)?);
            Ok(())
        });
        drop(closed);
        let entries = started.into_iter().filter_map(|thread| thread.join().ok().flatten());
        (entries.map(|entry| Path::new("/proc").join(entry)).collect(), granted)
    })
}

/// Ends the process at once, without destructors and `atexit` handlers: `std::process::exit` waits for a thread that is
/// already in `atexit`, and some thread may be stuck when this is called.
#[cfg(unix)]
#[allow(unsafe_code)] // `_exit` has no safe wrapper
pub(crate) fn exit_now(code: u8) -> ! {
    // SAFETY: `_exit` takes any number, touches no memory of this process and does not return.
    unsafe { libc::_exit(i32::from(code)) }
}

/// Ends the process. Windows ends every other thread first, so a stuck thread cannot delay `exit`.
#[cfg(not(unix))]
pub(crate) fn exit_now(code: u8) -> ! {
    std::process::exit(i32::from(code))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_threads_of_a_check_have_exited_when_it_is_over() {
        let alive = fs::read_link("/proc/thread-self").unwrap();
        assert!(Path::new("/proc").join(alive).exists());
        for _ in 0..500 {
            let (threads, granted) = run_threads(8);
            assert!(granted.is_ok() && threads.len() == 8);
            wait_for_exit(&threads);
            assert!(threads.iter().all(|thread| !thread.exists()));
        }
    }
}
