//! What the drain waits for: the tracker of everything in flight, tasks, and observers that servers learn the phase by.
//!
//! May use: `phase.rs`, `report`, `hooks::call`, and for tasks the [`Context`](crate::Context).

pub(crate) mod tracker;
pub(crate) mod phase_observers;
pub(crate) mod tasks;
pub(crate) mod supervise;
