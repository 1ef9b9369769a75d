//! Shutdown hooks: descriptors, the order in which they run, how long each may take, and running them.
//!
//! May use: `cause.rs` and `report`. It uses no phases: `lifecycle` decides when the hooks run.

pub(crate) mod state;
pub(crate) mod descriptor;
pub(crate) mod call;
pub(crate) mod time_limit;
pub(crate) mod registry;
pub(crate) mod sequence;
