//! Shutdown hooks: what they are, in which order they run, how long each may take, and running them.
//!
//! May use: `cause.rs` and `report`. It does not know of phases: `lifecycle` decides when the hooks run.

pub(crate) mod state;
pub(crate) mod descriptor;
pub(crate) mod call;
pub(crate) mod deadline;
pub(crate) mod registry;
pub(crate) mod sequence;
