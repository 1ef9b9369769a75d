//! The lifecycle of a process: signals and requests become phases, `main` runs beside it, and the process ends.
//!
//! May use everything; only `builder.rs`, `testing.rs` and `private.rs` use it.

pub(crate) mod transition;
pub(crate) mod deadlines;
pub(crate) mod phase_message;
pub(crate) mod state_machine;
pub(crate) mod orchestrator;
pub(crate) mod main_run;
pub(crate) mod runtime_config;
pub(crate) mod control_thread;
pub(crate) mod startup;
