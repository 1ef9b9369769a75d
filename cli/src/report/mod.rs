//! The result of a rehearsal: what is recorded, the numbers, the verdict, and how they are shown.

mod chart;
mod html;
mod json;
mod log;
mod outcome;
mod percentiles;
mod summary;
mod text;
mod verdict;

pub(crate) use chart::document as svg;
pub(crate) use html::html;
pub(crate) use json::json;
pub(crate) use log::{ConnectionEvent, Exit, Log, Record, Shutdown};
pub(crate) use outcome::Outcome;
pub(crate) use summary::{Subject, Summary};
pub(crate) use text::text;
pub(crate) use verdict::Verdict;
