//! Health checks: what they are, running them in the background, and the board of their last results.
//!
//! May use: `report`, `hooks` (a check is called as a hook is), and the [`Context`](crate::Context). It does not know
//! of probes: `health` reads the board.

pub(crate) mod board;
pub(crate) mod descriptor;
pub(crate) mod runner;
