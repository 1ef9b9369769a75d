//! Processes: building an executable, starting it, signals to it, and its output.

mod build;
mod group;
mod output;
mod program;

pub(crate) use build::Target;
pub(crate) use group::Signal;
pub(crate) use output::Part;
pub(crate) use program::Program;
