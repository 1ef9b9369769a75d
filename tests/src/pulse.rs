//! Measures whether the machine runs the tests in time: on a machine that does not, a late process proves nothing.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The length of a sleep.
const BEAT: Duration = Duration::from_millis(20);

/// How often a test runs on a machine that is stuck.
pub const ATTEMPTS: usize = 3;

/// How late the sleeps of one thread end.
pub struct Pulse {
    /// A sleep that ends later than this is late.
    limit: Duration,
    stopped: AtomicBool,
    /// The ends of late sleeps.
    late: Mutex<Vec<Instant>>,
}

impl Pulse {
    /// A sleep that ends later than `limit` is late.
    pub fn new(limit: Duration) -> Self {
        Self { limit, stopped: AtomicBool::new(false), late: Mutex::default() }
    }

    /// Measures until [`stop`](Self::stop).
    pub fn measure(&self) {
        while !self.stopped.load(Ordering::Relaxed) {
            let begun = Instant::now();
            thread::sleep(BEAT);
            if begun.elapsed() > BEAT + self.limit {
                self.late.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
            }
        }
    }

    /// Ends the measurement.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether a sleep that ended at this moment or later was late.
    pub fn was_late_since(&self, moment: Instant) -> bool {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|ended| *ended >= moment)
    }
}

/// Runs a test whose result depends on a time of 100 ms in the library. If the test fails while the machine ran a thread
/// late, it runs again.
pub fn on_a_responsive_machine(test: impl Fn()) {
    let pulse = Pulse::new(Duration::from_millis(30));
    let result = thread::scope(|scope| {
        scope.spawn(|| pulse.measure());
        let mut attempt = 1;
        let result = loop {
            let begun = Instant::now();
            let result = catch_unwind(AssertUnwindSafe(&test));
            if result.is_ok() || attempt == ATTEMPTS || !pulse.was_late_since(begun) {
                break result;
            }
            println!("attempt {attempt} failed while the machine was stuck");
            attempt += 1;
        };
        pulse.stop();
        result
    });
    if let Err(panic) = result {
        resume_unwind(panic);
    }
}
