//! The harness: starts apps as processes, speaks HTTP to them by hand, and waits for events, never for time to pass.
//!
//! Every wait ends at [`PATIENCE`] with a message that shows what the process has said so far. A process that a test
//! leaves behind, by a panic for instance, is killed and reaped.

mod app;
mod ended;
#[cfg(feature = "tonic")]
pub mod grpc;
mod http;
mod lines;
mod probe;
pub mod stage;
pub mod subscriber;
mod traffic;

pub use app::{App, Running};
pub use ended::Ended;
pub use http::{Client, Response, STALLED_BODY};
pub use lines::Lines;
pub use probe::{Answer, Poller, probe, wait_for};
pub use rustix::process::Signal;
pub use traffic::{Exchange, Traffic};

use std::time::Duration;

/// How long any single wait may take before its test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Raises this process's limit of open files as far as it goes, for itself and the apps that it starts.
pub fn raise_the_limit_of_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).expect("a soft limit may be raised to the hard one");
}
