//! The shutdown plan of a `graceful` process, as plain values.
//!
//! This crate holds what compile time and run time must agree on: the [duration](mod@duration) grammar, the
//! [`Plan`] with its defaults, and the [`Budget`] rule that says whether a plan fits into the time that
//! Kubernetes gives a pod. It knows no clock, no runtime and no I/O.
//!
//! Users of the framework want the `graceful` library (package `graceful-rt`), which re-exports what they need.

mod address;
mod budget;
pub mod duration;
mod error;
mod plan;

pub use address::Health;
pub use budget::{Budget, HookGroup};
pub use error::{AddressError, BudgetError, DurationError, Problem};
pub use plan::{Plan, Ready, Unready};
