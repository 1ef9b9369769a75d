//! What the benchmarks share: the servers under test, the processes that they run in, clients, and numbers.
//!
//! Every benchmark is a program that starts itself again as its own subject, so that a subject is a process of its
//! own and a benchmark is one command. Ratios come from pairs within one run: what disturbs the machine disturbs both.

pub mod callgrind;
pub mod client;
pub mod load;
pub mod numbers;
pub mod server;
pub mod subject;

use rustix::time::{ClockId, clock_gettime};

/// What a benchmark returns: it stops at the first thing that goes wrong.
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
