//! What the drain waits for: the tracker of everything in flight, and tasks; and the observers of the phase.
//!
//! May use: `phase.rs`, `report`, `hooks::call`, and for tasks the [`Context`](crate::Context).

pub(crate) mod tracker;
pub(crate) mod phase_observers;
pub(crate) mod tasks;
pub(crate) mod supervise;
