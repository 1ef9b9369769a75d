//! The plan of a program: reading it and drawing it.

pub(crate) mod printed;
mod segments;
mod svg;
mod text;

pub(crate) use printed::Plan;
pub(crate) use svg::svg;
pub(crate) use text::text;
