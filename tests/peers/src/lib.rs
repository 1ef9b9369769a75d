//! `graceful` among its neighbours: behind balancers, and called by HTTP clients of many languages, beside the same app
//! served by axum's own graceful shutdown.
//!
//! `docs/balancers.md` and `docs/clients.md` have the results, and the commands that measure them.

mod app;
mod balancer;
pub mod callers;
mod hangup;
mod load;
mod program;
mod restarts;
mod site;
pub mod tls;

pub use app::{app, listen, with_tls};
pub use balancer::Configuration;
pub use hangup::{Hangup, HangupServer};
pub use load::{Count, Counts, Kind, failed};
pub use program::{Load, Program, Report};
pub use restarts::{Restarted, Restarts, Server};
pub use site::{Copy, Outcome, rolling_restarts};
