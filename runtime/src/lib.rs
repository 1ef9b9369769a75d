//! Graceful shutdown for services on Kubernetes.

extern crate self as graceful;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod builder;
mod context;
mod control;
mod drain;
mod error;
mod exit;
mod health;
mod hook;
mod lifecycle;
mod log;
mod phase;
mod process;
mod recorder;
mod registry;
mod report;
mod sequence;
mod serve;
mod settings;
mod signal;
mod state;

pub use builder::{Builder, Triggers};
pub use context::{Context, context, try_context};
pub use control::Flavor;
pub use error::StartError;
pub use graceful_macros::{main, shutdown_hook};
pub use graceful_plan::{Health, Plan, Ready, Unready};
pub use hook::HookContext;
pub use phase::Phase;
pub use report::{Cause, Entry, HookName, HookOutcome, HookReport, Level, MainResult, Report, Signal, What};
pub use serve::{HttpService, Listener, Serve, Stream, serve};
pub use state::State;
