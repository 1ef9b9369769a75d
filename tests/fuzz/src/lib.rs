//! The fuzz targets: each takes any bytes, and panics if an invariant does not hold.
//!
//! `fuzz/` runs the targets by libFuzzer, and `tests/replay.rs` runs them over the committed corpora and mutations of these.
//! The modules of `graceful-macros` are compiled into this crate, because a crate of macros exports nothing else.
#![cfg(not(test))] // the attributes' modules bring their own tests, which need the package of the macros
#![allow(clippy::unwrap_used)]
#![allow(clippy::large_enum_variant, reason = "of the macros' enums, which are private there")]
#![allow(unexpected_cfgs, reason = "the feature `manifest` of the macros is off: files have targets of their own")]

mod attributes;
mod deployment;
mod durations;
mod environment;
mod probes;

#[path = "../../../macros/src/args.rs"]
mod args;
#[path = "../../../macros/src/check/mod.rs"]
mod check;
#[path = "../../../macros/src/diagnostics.rs"]
mod diagnostics;
#[path = "../../../macros/src/hook/mod.rs"]
mod hook;
#[path = "../../../macros/src/item.rs"]
mod item;
#[path = "../../../macros/src/linked.rs"]
mod linked;
#[path = "../../../macros/src/main_fn/mod.rs"]
mod main_fn;
#[path = "../../../macros/src/paths.rs"]
mod paths;
#[path = "../../../macros/src/values.rs"]
mod values;

pub use attributes::attributes;
pub use deployment::{dockerfiles, manifests};
pub use durations::durations;
pub use environment::environment;
pub use probes::{health, prestop};

/// A target.
pub type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const TARGETS: [(&str, Target); 7] = [
    ("attributes", attributes),
    ("dockerfiles", dockerfiles),
    ("durations", durations),
    ("environment", environment),
    ("health", health),
    ("manifests", manifests),
    ("prestop", prestop),
];
