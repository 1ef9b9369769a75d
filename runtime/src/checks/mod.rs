//! Health checks: descriptors, the runner in the background, and the board of their last results.
//!
//! May use: `report`, `hooks` (a check is called as a hook is), and the [`Context`](crate::Context). It handles no
//! probes: `health` reads the board.

pub(crate) mod board;
pub(crate) mod descriptor;
pub(crate) mod runner;
