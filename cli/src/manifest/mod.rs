//! Manifests and Dockerfiles: written for a program, and changed in place.

mod diff;
mod dockerfile;
mod template;

pub(crate) use diff::diff;
pub(crate) use dockerfile::dockerfile;
pub(crate) use template::{Kind, Template};
