//! The shutdown plan of a `graceful` process, as plain values.
//!
//! The macros and the runtime share this crate: the [duration](mod@duration) grammar, the [`Plan`] with its defaults,
//! and the [`Budget`] rule, which decides whether a plan fits into the time that Kubernetes gives a pod, and the environment's
//! [overrides]. It uses no clock, no async runtime and no I/O.
//!
//! Applications use the `graceful` library (package `graceful-rt`), which re-exports the types they need.

mod address;
mod budget;
pub mod duration;
mod error;
mod plan;
pub mod overrides;

pub use address::Health;
pub use budget::{Budget, HookGroup};
pub use error::{AddressError, BudgetError, DurationError, Problem};
pub use plan::{Plan, Ready, Unready};
