//! The result of a rehearsal: what is recorded, the numbers, the verdict, and how they are shown.

mod chart;
mod html;
mod json;
mod latencies;
mod log;
mod outcome;
mod reason;
mod summary;
mod tally;
mod text;
mod verdict;
mod wire;

pub(crate) use chart::document as svg;
pub(crate) use html::html;
pub(crate) use json::json;
pub(crate) use log::{ConnectionEvent, Exit, Incident, Log, Long, Observed, Record, Shutdown};
pub(crate) use outcome::Outcome;
pub(crate) use reason::{span, time};
pub(crate) use summary::{Origin, Subject, Summary};
pub(crate) use tally::Tally;
pub(crate) use text::{exit, text};
pub(crate) use verdict::Verdict;
pub(crate) use wire::{LoadLog, lines, started};
