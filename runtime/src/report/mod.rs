//! What happened: outcomes and the timeline as values; the log, the summary and the exit code made of them.
//!
//! May use: `phase.rs` and `cause.rs`. Nothing here influences the shutdown.

pub(crate) mod page;
pub(crate) mod outcome;
pub(crate) mod check_state;
pub(crate) mod timeline;
pub(crate) mod summary;
pub(crate) mod exit_code;
pub(crate) mod recorder;
pub(crate) mod log;
pub(crate) mod termination_log;
