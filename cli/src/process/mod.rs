//! Processes: building an executable, starting it, signals to it, and its output.

mod build;
mod git;
mod group;
mod metadata;
mod output;
mod program;

pub(crate) use build::Target;
pub(crate) use git::uncommitted;
pub(crate) use group::Signal;
pub(crate) use metadata::metadata;
pub(crate) use output::Part;
pub(crate) use program::Program;
