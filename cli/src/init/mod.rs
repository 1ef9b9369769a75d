//! Converting a program: its files are parsed, and edited as text at the places of their tokens, so that comments and
//! formatting stay.

mod axum;
mod convert;
mod files;
mod imports;
mod main_fn;
mod manifest;
mod notes;
mod package;
mod render;
mod servers;
mod signals;
mod source;
mod step;
mod survey;
mod tonic;
mod types;

pub(crate) use convert::{Binary, Plan, plan};
pub(crate) use files::{read, read_text};
pub(crate) use manifest::{Origin, is_in_workspace};
pub(crate) use package::{LIBRARY, Package, choose};
pub(crate) use render::steps;
pub(crate) use step::apply;
