//! The operating system: signals, the duties of PID 1, and an exit that a stuck thread cannot delay.
//!
//! May use: `cause.rs`, `error.rs` and `report::exit_code`. Everything platform-specific is here, except for sockets.

pub(crate) mod descriptors;
pub(crate) mod process;
pub(crate) mod container;
pub(crate) mod init;
pub(crate) mod signals;
