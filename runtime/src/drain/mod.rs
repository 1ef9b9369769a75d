//! What the drain waits for: everything in flight, counted and named; tasks; and who observes the phases.
//!
//! May use: `phase.rs`, `report`, `hooks::call`, and for tasks the [`Context`](crate::Context).

pub(crate) mod tracker;
pub(crate) mod phase_observers;
pub(crate) mod tasks;
pub(crate) mod supervise;
