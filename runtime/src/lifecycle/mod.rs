//! The lifecycle of a process: it starts, signals and requests become phases, `main` runs, and the process exits.
//!
//! May use everything else; only `builder.rs`, `testing.rs`, `private.rs` and `lib.rs` use it.

pub(crate) mod transition;
pub(crate) mod deadlines;
pub(crate) mod phase_log;
pub(crate) mod state_machine;
pub(crate) mod orchestrator;
pub(crate) mod main_run;
pub(crate) mod runtime_config;
pub(crate) mod control_thread;
pub(crate) mod startup;
