//! The result of a rehearsal: what is recorded, the numbers, the verdict, and how they are shown.

mod log;
mod outcome;
mod summary;
mod text;
mod verdict;

pub(crate) use log::{ConnectionEvent, Exit, Log, Record, Shutdown};
pub(crate) use outcome::Outcome;
pub(crate) use summary::{Subject, Summary};
pub(crate) use text::text;
pub(crate) use verdict::Verdict;
