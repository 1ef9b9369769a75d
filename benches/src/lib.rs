//! Shared code of the benchmarks: servers under test, their processes, clients, and statistics.
//!
//! A benchmark starts its own executable again as the subject, so that the subject is a separate process and the
//! benchmark is one command. Ratios compare pairs within one run, because noise of the machine affects both sides.

pub mod callgrind;
pub mod client;
pub mod load;
pub mod numbers;
pub mod program;
pub mod server;
pub mod subject;

use rustix::time::{ClockId, clock_gettime};

/// The result of a benchmark, which stops at the first error.
pub type Result<T = (), E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// CLOCK_MONOTONIC in nanoseconds: the same clock in every process.
pub fn now() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// The processor time of this process so far, in nanoseconds.
pub fn processor_time() -> u64 {
    nanoseconds(ClockId::ProcessCPUTime)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
