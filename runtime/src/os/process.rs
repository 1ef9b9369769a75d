//! Ends the process even if some of its threads are stuck.

use crate::report::termination_log;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// The last resort: ends the process after a time, whatever its other threads do. One thread writes the report, and
/// another ends the process if the first is stuck. Both exist from the start, because the system may refuse one later.
#[derive(Debug)]
pub(crate) struct LastResort {
    writer: mpsc::Sender<(Wait, MakeReport)>,
    killer: mpsc::Sender<Wait>,
}

type MakeReport = Box<dyn FnOnce() -> LastReport + Send>;

/// How long the last resort waits.
#[derive(Debug, Clone, Copy)]
struct Wait {
    limit: Duration,
    margin: Duration,
}

impl Wait {
    /// Waits until the report is due: for the limit and half of the margin. These are two sleeps, because a process that was
    /// stopped (SIGSTOP) wakes up behind its deadlines: the control thread still has half of the margin to end in order.
    fn until_report(self) {
        thread::sleep(self.limit);
        thread::sleep(self.margin / 2);
    }
}

/// What the last resort reports.
pub(crate) struct LastReport {
    pub(crate) exit_code: u8,
    /// The message for the termination log and for stderr; `None` if the control thread writes it.
    pub(crate) message: Option<String>,
}

impl LastResort {
    /// How many threads it has.
    pub(crate) const THREADS: usize = 2;

    /// Starts the threads, which write to this termination log. The process exits with `stuck` if not even the report
    /// can be made.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(crate) fn start(termination_log: Option<PathBuf>, stuck: u8) -> io::Result<Self> {
        let (writer, armed) = mpsc::channel::<(Wait, MakeReport)>();
        let (killer, waits) = mpsc::channel::<Wait>();
        let exit_code = Arc::new(AtomicU8::new(stuck));
        let known = exit_code.clone();
        let write = move || {
            let Ok((wait, report)) = armed.recv() else { return };
            wait.until_report();
            let report = report();
            exit_code.store(report.exit_code, Ordering::Release);
            if let Some(message) = report.message {
                termination_log::last_message(termination_log, &message);
                exit_now(report.exit_code);
            }
        };
        let kill = move || {
            let Ok(wait) = waits.recv() else { return };
            wait.until_report();
            thread::sleep(wait.margin / 4);
            exit_now(known.load(Ordering::Acquire));
        };
        thread::Builder::new().name("graceful-last".into()).spawn(write)?;
        thread::Builder::new().name("graceful-end".into()).spawn(kill)?;
        Ok(Self { writer, killer })
    }

    /// Ends the process when three quarters of the margin after this limit are over, unless it has exited before. The
    /// report is written when half of the margin is over. Only the first call has an effect.
    pub(crate) fn arm(&self, limit: Duration, margin: Duration, report: impl FnOnce() -> LastReport + Send + 'static) {
        let wait = Wait { limit, margin };
        // Each fails only if its thread has ended, which it does behind an earlier call.
        let _ = self.writer.send((wait, Box::new(report)));
        let _ = self.killer.send(wait);
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
