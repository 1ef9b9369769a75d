//! The lifecycle of a process: signals and requests become phases, `main` runs beside it, and the process ends.
//!
//! May use everything; only `builder.rs` and `private.rs` use it.

pub(crate) mod orchestrator;
pub(crate) mod main_run;
pub(crate) mod control;
