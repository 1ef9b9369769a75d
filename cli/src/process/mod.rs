//! Processes: building an executable, starting it, signals to it, and its output.

mod build;
mod git;
mod group;
mod metadata;
mod output;
mod program;

pub(crate) use build::Target;
pub(crate) use git::uncommitted;
pub(crate) use group::{Signal, kill_group};
pub(crate) use metadata::metadata;
pub(crate) use output::{Output, Part};
pub(crate) use program::Program;
