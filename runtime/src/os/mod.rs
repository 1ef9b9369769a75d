//! The operating system: signals, the role of PID 1, and the one way out that a stuck thread cannot hold up.
//!
//! May use: `cause.rs`, `error.rs` and the exit codes of `report`. Everything platform-specific is here, except for
//! sockets.

pub(crate) mod process;
pub(crate) mod container;
pub(crate) mod init;
pub(crate) mod signals;
