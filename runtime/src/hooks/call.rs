//! Calls a user's function on the user's runtime, with a timeout that runs on the control thread.

use crate::{hooks::descriptor::HookRun, report::outcome::HookOutcome};
use std::{
    any::Any,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::oneshot,
    task::{JoinError, JoinHandle},
    time::timeout,
};

/// A thread for synchronous hooks that exists from the start, because the system may refuse one in the shutdown, and the
/// user's blocking pool may be full.
#[derive(Debug)]
pub(crate) struct HookThread {
    jobs: mpsc::Sender<Box<dyn FnOnce() + Send>>,
    /// How many jobs wait for the thread or run on it.
    count: Arc<AtomicUsize>,
}

impl HookThread {
    /// Starts the thread, in the context of the user's runtime.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub(crate) fn start(runtime: Handle) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
        let count = Arc::new(AtomicUsize::new(0));
        let left = count.clone();
        thread::Builder::new().name("graceful-hooks".into()).spawn(move || {
            let _context = runtime.enter();
            for job in queue {
                // A job whose time was up drops the user's values instead of running, which may panic.
                let _ = catch_unwind(AssertUnwindSafe(job));
                left.fetch_sub(1, Ordering::Relaxed);
            }
        })?;
        Ok(Self { jobs, count })
    }

    /// Queues a job, and returns whether the thread is free for it.
    fn queue(&self, job: impl FnOnce() + Send + 'static) -> bool {
        let before = self.count.fetch_add(1, Ordering::Relaxed);
        self.jobs.send(Box::new(job)).is_ok() && before == 0
    }
}

/// A call that was handed to the user's runtime or to the thread for hooks.
pub(crate) struct Call {
    running: Running,
    progress: Arc<Progress>,
}

/// Whether a call waits for a thread, has started, or was withdrawn because its time was up before it started.
#[derive(Default)]
struct Progress(AtomicU8);

const QUEUED: u8 = 0;
const STARTED: u8 = 1;
const WITHDRAWN: u8 = 2;

impl Progress {
    /// Returns whether the call was still queued.
    fn leave_queue(&self, to: u8) -> bool {
        self.0.compare_exchange(QUEUED, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn is(&self, state: u8) -> bool {
        self.0.load(Ordering::Relaxed) == state
    }
}

enum Running {
    Task(JoinHandle<Result<(), String>>),
    Blocking(oneshot::Receiver<thread::Result<Result<(), String>>>),
    /// The system refused a thread.
    Refused,
}

impl Call {
    /// Starts the call: an async function as a task; a sync function on the thread for hooks, if there is one, and
    /// on the blocking pool if that thread is not free. Whichever is free first runs it.
    pub(crate) fn start(runtime: &Handle, thread: Option<&HookThread>, run: HookRun) -> Self {
        let progress = Arc::new(Progress::default());
        let begins = progress.clone();
        let running = match run {
            HookRun::Future(future) => Running::Task(runtime.spawn(async move {
                match begins.leave_queue(STARTED) {
                    true => future.await,
                    false => Ok(()), // reported as not started
                }
            })),
            HookRun::Blocking(call) => {
                let (end, ended) = oneshot::channel();
                let call = Mutex::new(Some((call, end)));
                let job = Arc::new(move || {
                    let taken = call.lock().unwrap_or_else(PoisonError::into_inner).take();
                    if let Some((call, end)) = taken
                        && begins.leave_queue(STARTED)
                    {
                        let _ = end.send(catch_unwind(AssertUnwindSafe(call)));
                    }
                });
                let queued = job.clone();
                let is_free = thread.is_some_and(|thread| thread.queue(move || queued()));
                // tokio panics if the system refuses the first thread of the blocking pool.
                let pool = || catch_unwind(AssertUnwindSafe(|| runtime.spawn_blocking(move || job())));
                match is_free || pool().is_ok() || thread.is_some() {
                    true => Running::Blocking(ended),
                    false => Running::Refused,
                }
            }
        };
        Self { running, progress }
    }

    /// Waits for the call to end, up to `limit`. Then an async function is cancelled; a sync function keeps running.
    pub(crate) async fn within(&mut self, limit: Duration) -> HookOutcome {
        let outcome = match &mut self.running {
            Running::Task(task) => {
                let ended = timeout(limit, &mut *task).await;
                if ended.is_err() {
                    task.abort();
                }
                ended.map(|joined| joined.map_or_else(join_error, outcome))
            }
            Running::Blocking(call) => timeout(limit, call).await.map(|ended| match ended {
                Ok(Ok(result)) => outcome(result),
                Ok(Err(panic)) => HookOutcome::Panicked(panic_message(&*panic)),
                Err(_) => HookOutcome::Failed(SHUT_DOWN.to_owned()),
            }),
            Running::Refused => Ok(HookOutcome::Failed("the system gave no thread to run it on".to_owned())),
        };
        outcome.unwrap_or_else(|_| {
            self.progress.leave_queue(WITHDRAWN);
            HookOutcome::TimedOut { limit, started: self.progress.is(STARTED) }
        })
    }

    /// Whether the call has ended.
    pub(crate) fn has_ended(&self) -> bool {
        match &self.running {
            Running::Task(task) => task.is_finished(),
            Running::Refused => true,
            Running::Blocking(call) => self.progress.is(WITHDRAWN) || call.is_terminated() || !call.is_empty(),
        }
    }
}

const SHUT_DOWN: &str = "the runtime was shut down under it";

fn outcome(result: Result<(), String>) -> HookOutcome {
    result.map_or_else(HookOutcome::Failed, |()| HookOutcome::Finished)
}

fn join_error(error: JoinError) -> HookOutcome {
    match error.try_into_panic() {
        Ok(panic) => HookOutcome::Panicked(panic_message(&*panic)),
        Err(_) => HookOutcome::Failed(SHUT_DOWN.to_owned()),
    }
}

/// The message of a panic, as the default panic hook prints it.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;

    /// A call that ends when the channel is closed.
    fn held() -> (mpsc::Sender<()>, HookRun) {
        let (release, released) = mpsc::channel::<()>();
        let call = move || {
            let _ = released.recv();
            Ok(())
        };
        (release, HookRun::blocking(call))
    }

    #[test]
    fn a_sync_call_behind_another_waits_for_the_thread_if_the_pool_has_none() {
        // A stack larger than the memory of any system, so the system refuses the threads of the pool.
        let runtime = Builder::new_current_thread().enable_all().thread_stack_size(1 << 60).build().unwrap();
        let thread = HookThread::start(runtime.handle().clone()).unwrap();
        let (release, run) = held();
        let mut first = Call::start(runtime.handle(), Some(&thread), run);
        let mut second = Call::start(runtime.handle(), Some(&thread), HookRun::blocking(|| Ok(())));
        assert!(!first.has_ended() && !second.has_ended());
        drop(release);
        let limit = Duration::from_secs(20);
        assert_eq!(runtime.block_on(second.within(limit)), HookOutcome::Finished);
        assert_eq!(runtime.block_on(first.within(limit)), HookOutcome::Finished);
    }

    #[test]
    fn a_sync_call_behind_one_that_hangs_runs_on_the_pool_and_only_once() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let thread = HookThread::start(runtime.handle().clone()).unwrap();
        let (release, run) = held();
        let mut first = Call::start(runtime.handle(), Some(&thread), run);
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let mut second = Call::start(runtime.handle(), Some(&thread), HookRun::blocking(count));
        let limit = Duration::from_secs(20);
        assert_eq!(runtime.block_on(second.within(limit)), HookOutcome::Finished);
        assert!(second.has_ended() && !first.has_ended());
        drop(release);
        assert_eq!(runtime.block_on(first.within(limit)), HookOutcome::Finished);
        let mut third = Call::start(runtime.handle(), Some(&thread), HookRun::blocking(|| Ok(())));
        assert_eq!(runtime.block_on(third.within(limit)), HookOutcome::Finished);
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn the_thread_is_in_the_context_of_the_runtime_and_free_again_behind_a_job() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let thread = HookThread::start(runtime.handle().clone()).unwrap();
        let (sender, ids) = mpsc::channel();
        assert!(thread.queue(move || sender.send(Handle::try_current().map(|handle| handle.id())).unwrap()));
        assert_eq!(ids.recv().unwrap().unwrap(), runtime.handle().id());
        let end = std::time::Instant::now() + Duration::from_secs(20);
        while !thread.queue(|| {}) {
            assert!(std::time::Instant::now() < end, "it counts a job that has ended");
            thread::yield_now();
        }
    }

    #[test]
    fn the_thread_survives_a_panic_in_what_it_drops() {
        struct PanicsOnDrop;
        impl Drop for PanicsOnDrop {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        // Without a pool, see above.
        let runtime = Builder::new_current_thread().enable_all().thread_stack_size(1 << 60).build().unwrap();
        let thread = HookThread::start(runtime.handle().clone()).unwrap();
        let (release, run) = held();
        let mut first = Call::start(runtime.handle(), Some(&thread), run);
        let value = PanicsOnDrop;
        let run = HookRun::blocking(move || {
            std::mem::forget(value);
            Ok(())
        });
        let mut late = Call::start(runtime.handle(), Some(&thread), run);
        let limit = Duration::from_millis(20);
        assert_eq!(runtime.block_on(late.within(limit)), HookOutcome::TimedOut { limit, started: false });
        drop(release);
        let limit = Duration::from_secs(20);
        assert_eq!(runtime.block_on(first.within(limit)), HookOutcome::Finished);
        let mut last = Call::start(runtime.handle(), Some(&thread), HookRun::blocking(|| Ok(())));
        assert_eq!(runtime.block_on(last.within(limit)), HookOutcome::Finished);
    }

    #[test]
    fn a_sync_call_whose_time_is_up_before_it_starts_never_runs() {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
        let (release, run) = held();
        let mut first = Call::start(runtime.handle(), None, run);
        let (ran, runs) = mpsc::channel();
        let run = HookRun::blocking(move || ran.send(()).map_err(|_| String::new()));
        let mut second = Call::start(runtime.handle(), None, run);
        let limit = Duration::from_millis(20);
        assert_eq!(runtime.block_on(second.within(limit)), HookOutcome::TimedOut { limit, started: false });
        assert!(second.has_ended());
        drop(release);
        assert_eq!(runtime.block_on(first.within(Duration::from_secs(20))), HookOutcome::Finished);
        assert!(runs.recv().is_err(), "it was dropped");
    }
}
