//! The drain's tracker, the phase observers and the wake-ups of a server, in every interleaving of their threads.
//!
//! The files of `runtime` are included as they are. In this crate, the names `std` and `tokio` are the crate itself: its
//! modules [`sync`], [`time`] and so on have loom's atomics and locks, and models of what loom lacks. So the code
//! under test has no trace of loom.
//!
//! Reference counts are std's: loom's have neither `Weak` nor trait objects. What an `Arc` orders is therefore unknown
//! to loom, which makes the check stricter, not weaker.

// The included files have unit tests of their own, which need the real std.
#![cfg(not(test))]

extern crate self as std;
extern crate self as tokio;
extern crate std as real;

mod notify;
mod once_lock;
pub mod sync;
pub mod task;
pub mod time;

/// As in std.
pub mod collections {
    pub use real::collections::{BTreeMap, HashMap};
}

/// As in std.
pub mod fmt {
    pub use real::fmt::*;
}

/// As in std.
pub mod pin {
    pub use real::pin::pin;
}

#[allow(dead_code, unreachable_pub)]
#[path = "../../../runtime/src/phase.rs"]
mod phase;

#[allow(dead_code)]
#[path = "../../../runtime/src/drain/tracker.rs"]
mod tracker;

#[allow(dead_code)]
#[path = "../../../runtime/src/drain/phase_observers.rs"]
mod phase_observers;

/// The paths of the included files in `runtime`.
mod drain {
    pub(crate) use crate::tracker;
}

#[allow(dead_code)]
#[path = "../../../runtime/src/serve/open_connections.rs"]
mod open_connections;

#[allow(dead_code)]
#[path = "../../../runtime/src/serve/sweep_schedule.rs"]
mod sweep_schedule;

pub mod models;
pub mod server_models;
