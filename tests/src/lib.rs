//! The test harness: starts apps as processes, exchanges raw HTTP with them, and waits for events instead of durations.
//!
//! Every wait fails after [`PATIENCE`] with a message that shows the output of the process so far. A process that a test
//! leaves running, for example after a panic, is killed and reaped.

mod app;
mod ended;
#[cfg(feature = "tonic")]
pub mod grpc;
mod http;
mod lines;
pub mod memory;
mod probe;
pub mod pulse;
pub mod stage;
pub mod subscriber;
mod traffic;

pub use app::{App, Running};
pub use ended::Ended;
pub use http::{Client, Response, STALLED_BODY};
pub use lines::Lines;
pub use probe::{Poll, Poller, probe, wait_for};
pub use rustix::process::Signal;
pub use traffic::{Exchange, Traffic};

use std::time::Duration;

/// The longest duration of one wait before its test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Raises the limit of open files to the hard limit, for this process and the apps that it starts.
pub fn raise_open_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).expect("the soft limit can be raised to the hard limit");
}
